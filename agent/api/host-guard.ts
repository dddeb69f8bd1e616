import { isIPv4 } from 'node:net'
import { ApiProblem } from './problem.ts'

const NAMES: readonly string[] = ['localhost', '[::1]', '::1']

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return NAMES.includes(host.toLowerCase()) || (isIPv4(host) && host.startsWith('127.'))
}

function nameIn(header: string): string {
  return header.replace(/:\d{1,5}$/, '').toLowerCase()
}

/**
 * A web page may point a name of its own at 127.0.0.1 and then talk to the agent as its own origin (DNS rebinding). The
 * browser still sends that name as Host, so a loopback agent takes loopback names only.
 *
 * @param listensOn where the API listens; anything but loopback is the operator's choice of name
 * @throws {ApiProblem} 421
 */
export function assertOwnHost(header: string | undefined, listensOn: string): void {
  if (!isLoopback(listensOn)) return
  if (header !== undefined && isLoopback(nameIn(header))) return
  throw new ApiProblem(
    421,
    'wrong-host',
    'this agent answers to 127.0.0.1 and localhost only; use one of them in the address'
  )
}
