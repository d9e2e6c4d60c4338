/* origin.mjs: the suite's own origin server, on loopback only.
 *
 * The suite's server listens on every interface. It is run as it is, but for the address: nothing of a test may
 * be reached from outside. It says itself where it listens.
 */
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [engine] = process.argv.slice(2)
const listen = net.Server.prototype.listen

net.Server.prototype.listen = function () {
  return listen.call(this, 0, '127.0.0.1')
}
await import(pathToFileURL(path.join(engine, 'server/server.mjs')))
