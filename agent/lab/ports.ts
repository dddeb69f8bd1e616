import { createServer, type Server } from 'node:net'

async function take(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0 }, resolve)
  })
  return server
}

/** Loopback ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  try {
    for (let taken = 0; taken < count; taken += 1) servers.push(await take())
    return servers.map((server) => {
      const address = server.address()
      if (address === null || typeof address === 'string') throw new TypeError('expected a TCP address')
      return address.port
    })
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
