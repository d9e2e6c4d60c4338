/* stage.mjs: what a run stands on: the suite's origin, and a larder before it, both on free ports of loopback.
 *
 *      client (suite.mjs) ──▶ larder ──▶ origin (origin.mjs, the suite's own server)
 *
 * Each says itself where it listens. Both are ended by their own ids, whatever happens in between.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const PATIENCE = 30000

/* One program: `log` is all it wrote, `trace` whether it is shown as it comes. */
class Program {
  constructor (name, command, args, { trace = false, ...options }) {
    this.name = name
    this.log = ''
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    this.ended = new Promise(resolve => {
      this.process.once('error', error => resolve(error.message))
      this.process.once('close', (code, signal) => resolve(code ?? signal))
    })
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.log += text
        if (trace) process.stdout.write(text)
      })
    }
  }

  /* The port after "listening on", once the program has said it. */
  async port () {
    const pattern = /listening on \S*:(\d+)/i
    const deadline = Date.now() + PATIENCE
    let status
    this.ended.then(value => { status = value })
    while (!pattern.test(this.log)) {
      if (status !== undefined || Date.now() > deadline) {
        throw new Error(`${this.name} did not start (${status ?? 'no word of it'})\n${this.log}`.trimEnd())
      }
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return Number(pattern.exec(this.log)[1])
  }

  /* Its exit status, or the signal that ended it. */
  async stop () {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), PATIENCE)
    this.process.kill('SIGTERM')
    const status = await this.ended
    clearTimeout(timer)
    return status
  }
}

function startOrigin (here, engine, folder, trace) {
  const env = {
    ...process.env, // the suite reads its settings as npm would hand them over
    npm_config_protocol: 'http',
    npm_config_port: '0',
    npm_config_pidfile: path.join(folder, 'origin.pid')
  }
  return new Program('the origin', process.execPath, [path.join(here, 'origin.mjs'), engine], { env, trace })
}

function startLarder (here, larder, originPort, folder, trace) {
  const env = { ...process.env, ORIGIN_PORT: String(originPort), ADMIN: path.join(folder, 'admin.sock') }
  return new Program('larder', larder, ['run', '-c', path.join(here, 'larder.conf')], { env, trace })
}

/* Calls use(base URL) between the start and the end of both. Throws when larder did not end well. */
export async function onStage ({ here, engine, larder, trace }, use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'larder-conformance-'))
  const programs = []
  let result, status
  try {
    programs.push(startOrigin(here, engine, folder, trace))
    programs.push(startLarder(here, larder, await programs[0].port(), folder, trace))
    result = await use(`http://127.0.0.1:${await programs[1].port()}`)
  } finally {
    while (programs.length > 0) {
      const program = programs.pop()
      const ending = await program.stop()
      if (program.name === 'larder') status = { ending, log: program.log }
    }
    fs.rmSync(folder, { recursive: true, force: true })
  }
  if (status.ending !== 0) throw new Error(`larder ended with ${status.ending}:\n${status.log}`)
  return result
}
