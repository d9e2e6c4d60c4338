/* suite.mjs: the suite's tests and client, and its own judgement of a result. The suite comes in two shapes, the package
 * that npm has and a checkout of its repository, which has moved on; from here on they are one.
 *
 * The client works on the tests it is given (it puts dates and its own fields into them), so each run gets a copy.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/* The longest a single request may take. */
const REQUEST_TIMEOUT = 30000

/* What the suite's signs mean (display.mjs), in words. Passed are "pass" and "yes". */
const WORDS = {
  '-': 'untested',
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'not optimal',
  Y: 'yes',
  N: 'no',
  '🔹': 'setup failed',
  '⁉️': 'harness failed',
  '⚪️': 'dependency',
  '↻': 'retried'
}

function load (...names) {
  return import(pathToFileURL(path.join(...names)))
}

/* The package as npm has it: its client uses the fetch that it is given. */
async function loadPackage (folder) {
  const fetch = (await load(folder, '../node-fetch/lib/index.mjs')).default
  const config = await load(folder, 'client/config.mjs')
  config.setFetch((url, init) => fetch(url, { ...init, timeout: REQUEST_TIMEOUT }))
  const client = await load(folder, 'client/test.mjs')
  return {
    engine: folder,
    suites: [
      ...(await load(folder, 'tests/index.mjs')).default,
      (await load(folder, 'tests/surrogate-control.mjs')).default
    ],
    config,
    client: { makeTest: client.makeCacheTest, testResults: client.testResults },
    results: await load(folder, 'lib/display.mjs')
  }
}

/* A checkout of the suite's repository: its client uses the fetch of the process, and undici for what fetch does not show.
 * Both must be of one version, and so the checkout's. */
async function loadCheckout (folder) {
  const engine = path.resolve(folder, 'test-engine')
  if (!fs.existsSync(engine)) throw new Error(`${folder} is no checkout of the suite: it has no test-engine`)
  globalThis.fetch = createRequire(path.join(engine, 'client/test.mjs'))('undici').fetch
  return {
    engine,
    suites: (await load(engine, '../tests/index.mjs')).default,
    config: await load(engine, 'client/config.mjs'),
    client: await load(engine, 'client/test.mjs'),
    results: await load(engine, 'lib/results.mjs')
  }
}

export async function loadSuite (folder, isCheckout) {
  const suite = await (isCheckout ? loadCheckout : loadPackage)(folder)
  const named = ({ id, tests }) => tests.map(test => ({ ...test, suite: id, kind: test.kind ?? 'required' }))
  /* Those for browsers only are neither run nor counted (client/runner.mjs). */
  return { ...suite, tests: suite.suites.flatMap(named).filter(test => test.browser_only !== true) }
}

/* Runs these tests at once, and returns { id: true or [name of the error, message] }. */
export async function runTests (suite, base, tests, { trace = false } = {}) {
  suite.config.setBaseUrl(base)
  suite.config.setUseBrowserCache(false)
  const results = suite.client.testResults
  for (const test of tests) delete results[test.id]
  await Promise.all(tests.map(test => suite.client.makeTest({ ...structuredClone(test), dump: trace })))
  return Object.fromEntries(tests.map(test => [test.id, results[test.id]]))
}

/* One row for each test: { id, kind, suite, name, verdict, passed, message, needs }. What needs a test that is not passed
 * is not passed either. */
export function judge (suite, results) {
  return suite.tests.map(({ id, kind, suite: group, name, depends_on: needs }) => {
    const verdict = WORDS[suite.results.determineTestResult(suite.suites, id, results)[2]]
    const message = Array.isArray(results[id]) ? results[id][1] : ''
    const passed = verdict === 'pass' || verdict === 'yes'
    return { id, kind, suite: group, name, verdict, passed, message, needs: needs ?? [] }
  })
}
