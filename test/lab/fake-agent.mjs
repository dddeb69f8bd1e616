/**
 * Stands in for an agent process: reads its agent.yaml, says `ready`, sees the others of its lab and signs agreements.
 * `log` in its users' place tells how it is to misbehave: a user named after the fault.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

const file = process.argv[process.argv.indexOf('--config') + 1]
const folder = dirname(file)
const config = parse(readFileSync(file, 'utf8'))
const fault = (config.users ?? []).map((user) => user.split('@')[0])[0]
const { peer } = JSON.parse(readFileSync(join(folder, 'identity/agent.key'), 'utf8'))
const { membership } = JSON.parse(readFileSync(join(folder, 'membership.json'), 'utf8'))
if (!membership.payload.agents.includes(peer)) throw new Error('the membership is for another agent')

if (fault === 'crashes') {
  console.error('cannot open the store: disk full')
  process.exit(4)
}
if (fault === 'stubborn') process.on('SIGTERM', () => console.error('no'))
else process.on('SIGTERM', () => process.exit(0))

writeFileSync(join(folder, 'token'), 'token-of-this-fake-agent-0123456789\n', { mode: 0o600 })
mkdirSync(join(folder, 'data'), { recursive: true })

function others() {
  const lab = dirname(folder)
  return readdirSync(lab, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'marketplace')
    .map((entry) => JSON.parse(readFileSync(join(lab, entry.name, 'identity/agent.key'), 'utf8')).peer)
    .filter((other) => other !== peer)
}

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/api/v1/peers') {
      const seen = fault === 'blind' ? [] : others()
      response.end(
        JSON.stringify(
          seen.map((peerId) => ({ peerId, organisation: 'X', roles: [], addresses: [], connected: true }))
        )
      )
      return
    }
    const agreement = parse(JSON.parse(body).text)
    writeFileSync(join(folder, 'data', `${agreement.agreement}.yaml`), body)
    response.end(
      JSON.stringify({
        id: 'bafy',
        name: agreement.agreement,
        provider: agreement.provider,
        dataset: 'd',
        parties: [agreement.provider, 'UVA'],
        signedBy: [agreement.provider],
        state: fault === 'unsigned' ? 'proposed' : 'in-force',
        unenforceable: [],
        plain: [],
        terms: {}
      })
    )
  })
})
const [, port] = config.api.listen.split(':')
server.listen(Number(port), '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'ready', peerId: peer, api: `http://${config.api.listen}` }))
})
