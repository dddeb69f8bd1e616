import { connect } from 'node:net'
import { type Check, type Found, isLacking } from '../check.ts'

const CONNECT_MS = 2000

/** Host and port of an address such as `/ip4/10.0.0.1/tcp/4001`; undefined for others, and for any free port. */
export function hostAndPort(address: string): { host: string; port: number } | undefined {
  const [, host, port] = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
  if (host === undefined || port === undefined || Number(port) === 0) return undefined
  const here: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  return { host: here[host] ?? host, port: Number(port) }
}

async function answers(place: { host: string; port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ ...place, timeout: CONNECT_MS })
  socket.once('connect', () => resolve(true))
  for (const name of ['error', 'timeout']) socket.once(name, () => resolve(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** The addresses of agent.yaml: where others should find this agent, and where it looks for others. */
export const ports: Check = {
  name: 'ports',
  look: async ({ config, running }) => {
    if (isLacking(config)) return []
    const found: Found[] = []
    for (const address of isLacking(running) ? [] : config.listen) {
      const place = hostAndPort(address)
      if (place === undefined) continue
      if (await answers(place)) found.push({ level: 'ok', message: `${address} answers` })
      else
        found.push({
          level: 'error',
          code: 'cannot-listen',
          message: `${address} does not answer on this machine`,
          mend: `change listen: in ${config.file}, and start the agent again`
        })
    }
    for (const address of config.bootstrap) {
      const place = hostAndPort(address)
      if (place === undefined || (await answers(place))) continue
      found.push({
        level: 'warning',
        code: 'peer-unreachable',
        message: `nothing answers at the bootstrap address ${address}`,
        mend: `see that this agent is up and that no firewall is between; other addresses go into bootstrap: in ${config.file}`
      })
    }
    return found
  }
}
