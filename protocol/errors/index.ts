/**
 * The base of every error an agent shows. `code` goes over the wire, into logs and documentation; `message` says what was
 * expected, what was found and what to do. Values of data never belong in a message.
 */
export class DynamosError extends Error {
  static override readonly name: string = 'DynamosError'
  /** One of the published codes, see `protocol/documents/codes.ts`. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** What was thrown, as an Error: libp2p rejects some waits with an event, and `throw` takes anything. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  if (typeof thrown === 'object' && thrown !== null && 'error' in thrown && thrown.error instanceof Error)
    return thrown.error
  return new Error(typeof thrown === 'string' ? thrown : 'the stream was closed')
}

/** The stable code of anything thrown: a DynamosError's own, `timeout` or `cancelled` for the platform's, else `internal`. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof DynamosError) return thrown.code
  const name = toError(thrown).name
  if (name === 'TimeoutError') return 'timeout'
  if (name === 'AbortError') return 'cancelled'
  return 'internal'
}

/** Whether it is an error of the platform under one of these codes, as `ENOENT`. */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    codes.includes(thrown.code)
  )
}

/** What any disk says when it is full. */
export function isStorageFull(thrown: unknown): boolean {
  return hasCode(thrown, 'ENOSPC', 'EDQUOT')
}

/** An instant that somebody else named, for people: ISO 8601, or the number where ECMAScript has no date that far away. */
export function instantText(milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString()
}

export { nearest } from './nearest.ts'
