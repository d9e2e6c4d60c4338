/* suite.mjs: the suite's tests and client, and its own judgement of a result.
 *
 * The client works on the tests it is given (it puts dates and its own fields into them), so each run gets a copy.
 */
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

export async function loadSuite (folder) {
  const load = name => import(pathToFileURL(path.join(folder, name)))
  const suites = [...(await load('tests/index.mjs')).default, (await load('tests/surrogate-control.mjs')).default]
  const named = ({ id, tests }) => tests.map(test => ({ ...test, suite: id, kind: test.kind ?? 'required' }))
  return {
    suites,
    /* Those for browsers only are neither run nor counted (client/runner.mjs). */
    tests: suites.flatMap(named).filter(test => test.browser_only !== true),
    client: await load('client/test.mjs'),
    config: await load('client/config.mjs'),
    display: await load('lib/display.mjs'),
    fetch: (await load('../node-fetch/lib/index.mjs')).default
  }
}

/* Runs these tests at once, and returns { id: true or [name of the error, message] }. */
export async function runTests (suite, base, tests, { trace = false } = {}) {
  suite.config.setBaseUrl(base)
  suite.config.setUseBrowserCache(false)
  suite.config.setFetch((url, init) => suite.fetch(url, { ...init, timeout: REQUEST_TIMEOUT }))
  const results = suite.client.testResults
  for (const test of tests) delete results[test.id]
  await Promise.all(tests.map(test => suite.client.makeCacheTest({ ...structuredClone(test), dump: trace })))
  return Object.fromEntries(tests.map(test => [test.id, results[test.id]]))
}

/* One row for each test: { id, kind, suite, name, verdict, passed, message, needs }. What needs a test that is not passed
 * is not passed either. */
export function judge (suite, results) {
  return suite.tests.map(({ id, kind, suite: group, name, depends_on: needs }) => {
    const verdict = WORDS[suite.display.determineTestResult(suite.suites, id, results)[2]]
    const message = Array.isArray(results[id]) ? results[id][1] : ''
    const passed = verdict === 'pass' || verdict === 'yes'
    return { id, kind, suite: group, name, verdict, passed, message, needs: needs ?? [] }
  })
}
