/* expected.mjs: the list of tests that have passed, in the file `expected`, and what a run changed against it.
 *
 * Only required and optimal tests are in it. The suite's checks ask how a cache behaves, not whether it is right;
 * their answers may change with a setting.
 */
import fs from 'node:fs'

const HEADER = `# What passes of the suite, one a line: kind and id. When one of them does not, \`./dev conformance\` fails.
# Written by \`./dev conformance --accept\`.
`

export function isCounted (row) {
  return row.kind !== 'check'
}

export function readExpected (file) {
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split(' ')[1])
}

export function writeExpected (file, rows) {
  const lines = rows.filter(row => isCounted(row) && row.passed).map(row => `${row.kind} ${row.id}\n`).sort()
  fs.writeFileSync(file, HEADER + lines.join(''))
}

/* lost: passed before and not now (also ids that the suite no longer has); gained: passed now and not before. */
export function compare (expected, rows) {
  const passing = new Set(rows.filter(row => isCounted(row) && row.passed).map(row => row.id))
  return {
    lost: expected.filter(id => !passing.has(id)),
    gained: [...passing].filter(id => !expected.includes(id)).sort()
  }
}
