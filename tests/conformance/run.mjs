/* run.mjs: the public suite for HTTP caches against a larder on loopback. `./dev conformance` calls it.
 *
 *      install ──▶ stage (origin, larder) ──▶ run all at once ──▶ run again what was lost ──▶ report
 *
 * With --suite DIR nothing is installed: DIR is a checkout of the suite's repository, and what must pass of it is in
 * `expected-checkout`.
 * Why again: the tests count seconds (max-age=2, a pause of 3), and a busy machine can be late. What was lost is
 * tried in small groups; a real fault fails there as well.
 * Status: 0, or 1 when a test that passed before does not, 2 for anything else, 3 when the suite was not fetched.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { compare, readExpected, writeExpected } from './expected.mjs'
import { install, NotFetched } from './install.mjs'
import { asJson, asText } from './report.mjs'
import { onStage } from './stage.mjs'
import { judge, loadSuite, runTests } from './suite.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.join(here, '../..')

const USAGE = './dev conformance [--accept] [--json] [--id ID] [--suite DIR]'

const AGAIN_TIMES = 2
const AGAIN_AT_ONCE = 8

function parse (words) {
  const options = { larder: process.env.LARDER ?? path.join(root, 'build/release/larder') }
  while (words.length > 0) {
    const word = words.shift()
    if (word === '--accept' || word === '--json') options[word.slice(2)] = true
    else if ((word === '--id' || word === '--suite') && words.length > 0) options[word.slice(2)] = words.shift()
    else throw new Error(`unknown argument "${word}"; it is: ${USAGE}`)
  }
  return options
}

/* Of these ids, those that fail, and what they stand on: a test whose dependency was late is late as well. */
function withNeeds (suite, ids) {
  const wanted = new Set(ids)
  for (const id of wanted) {
    for (const need of suite.tests.find(test => test.id === id)?.depends_on ?? []) wanted.add(need)
  }
  return suite.tests.filter(test => wanted.has(test.id))
}

async function runAgain (suite, base, results, expected) {
  for (let round = 0; round < AGAIN_TIMES; round++) {
    const rows = judge(suite, results)
    const passed = new Set(rows.filter(row => row.passed).map(row => row.id))
    const late = withNeeds(suite, compare(expected, rows).lost).filter(test => !passed.has(test.id))
    for (let at = 0; at < late.length; at += AGAIN_AT_ONCE) {
      Object.assign(results, await runTests(suite, base, late.slice(at, at + AGAIN_AT_ONCE)))
    }
  }
}

/* One test, with what client and origin saw. */
async function runOne (suite, stage, id) {
  const test = suite.tests.find(test => test.id === id)
  if (test === undefined) throw new Error(`the suite has no test "${id}"`)
  const trace = true
  const results = await onStage({ ...stage, trace }, base => runTests(suite, base, [test], { trace }))
  const result = results[id]
  console.log(`${id} (${test.suite}, ${test.kind}): ${test.name}`)
  console.log(result === true ? 'passed' : `${result[0]}: ${result[1]}`)
  return result === true ? 0 : 1
}

async function runAll (suite, stage, options) {
  const started = Date.now()
  const expectedFile = path.join(here, options.suite === undefined ? 'expected' : 'expected-checkout')
  const expected = readExpected(expectedFile)
  const results = await onStage(stage, async base => {
    const results = await runTests(suite, base, suite.tests)
    await runAgain(suite, base, results, expected)
    return results
  })
  const rows = judge(suite, results)
  const difference = compare(expected, rows)
  console.log((options.json ? asJson : asText)(rows, difference, (Date.now() - started) / 1000))
  if (!options.accept) return difference.lost.length === 0 ? 0 : 1
  writeExpected(expectedFile, rows)
  return 0
}

async function main () {
  const options = parse(process.argv.slice(2))
  const isCheckout = options.suite !== undefined
  const folder = isCheckout ? options.suite : install(here, path.join(root, 'build/conformance'))
  const suite = await loadSuite(folder, isCheckout)
  const stage = { here, engine: suite.engine, larder: options.larder, trace: false }
  return options.id === undefined ? runAll(suite, stage, options) : runOne(suite, stage, options.id)
}

main().then(status => { process.exitCode = status }, error => {
  const skipped = error instanceof NotFetched
  console.error(`${skipped ? '[SKIP] ' : ''}conformance: ${error.message}`)
  process.exitCode = skipped ? 3 : 2
})
