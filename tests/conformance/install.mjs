/* install.mjs: the suite, fetched once with npm into build/conformance, as package-lock.json has its versions and sums.
 *
 * The file `installed` there is the lock it was installed from: with another lock it is installed anew.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/* What npm may spend on a registry that does not answer. */
const PATIENCE = ['--fetch-retries=1', '--fetch-timeout=30000']

export class NotFetched extends Error {}

function isCurrent (here, home) {
  const marker = path.join(home, 'installed')
  return fs.existsSync(marker) &&
    fs.readFileSync(marker).equals(fs.readFileSync(path.join(here, 'package-lock.json')))
}

function fetchAll (home) {
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...PATIENCE]
  const npm = spawnSync('npm', words, { cwd: home, encoding: 'utf8' })
  if (npm.error) throw new NotFetched(`npm cannot be run: ${npm.error.message}`)
  if (npm.status !== 0) {
    const reason = npm.stderr.split('\n').find(line => / code | E[A-Z]{4,}/.test(line)) ?? npm.stderr.split('\n')[0]
    throw new NotFetched(`npm cannot fetch the suite (is its registry reachable?): ${reason.trim()}`)
  }
}

/* The folder of the suite. Throws NotFetched with one line that says why. */
export function install (here, home) {
  const marker = path.join(home, 'installed')
  if (!isCurrent(here, home)) {
    fs.mkdirSync(home, { recursive: true })
    fs.rmSync(marker, { force: true })
    for (const name of ['package.json', 'package-lock.json']) {
      fs.copyFileSync(path.join(here, name), path.join(home, name))
    }
    fetchAll(home)
    fs.copyFileSync(path.join(here, 'package-lock.json'), marker)
  }
  return path.join(home, 'node_modules/http-cache-tests')
}
