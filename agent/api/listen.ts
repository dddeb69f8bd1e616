import type { FastifyInstance } from 'fastify'
import { toError } from '../../protocol/errors/index.ts'
import { ApiProblem } from './problem.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; choose another port, or end that program',
  EACCES: 'this user may not listen there; choose a port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address'
}

/**
 * @param address port 0 takes a free one
 * @returns the API's URL, such as `http://127.0.0.1:7700`
 * @throws {ApiProblem} `listen-failed`, saying what to do
 */
export async function listen(api: FastifyInstance, address: { host: string; port: number }): Promise<string> {
  try {
    return await api.listen(address)
  } catch (cause) {
    const error = toError(cause)
    const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
    throw new ApiProblem(
      500,
      'listen-failed',
      `api.listen: expected to listen on ${address.host}:${address.port}; ${REASONS[code] ?? error.message}`,
      { cause }
    )
  }
}
