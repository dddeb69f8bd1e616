import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DynamosError } from '../../protocol/errors/index.ts'
import { ROOT } from '../architecture/sources.ts'
import type { Mutator } from './random.ts'

/** Something that reads bytes from outside. */
export interface Target {
  /** Also the folder of its kept inputs. */
  readonly name: string
  /** Inputs to begin with: well-formed ones, so that their neighbours get past the first check. */
  seeds(): Promise<readonly Uint8Array[]>
  readonly mutate: Mutator
  /** Reads; a code that it returns tells kinds of answer apart. Throws an error of ours for what it does not take, and {@link Broken} where a promise of it does not hold. */
  read(input: Uint8Array): Promise<unknown> | unknown
  /** Inputs beyond this are not made: a limit of its own on size is tried by its own tests. @default 65_536 */
  readonly maxBytes?: number
  /** Of the inputs that a run makes, one in so many: for what is slow. @default 1 */
  readonly oneIn?: number
}

/** A promise that does not hold, such as: what is read is written as the same bytes. */
export class Broken extends Error {
  static override readonly name = 'Broken'
}

export function holds(promise: string, kept: boolean): void {
  if (!kept) throw new Broken(promise)
}

const LONGEST_MESSAGE = 64 * 1024

function isPublished(code: string): boolean {
  return existsSync(join(ROOT, 'docs', 'errors', `${code}.md`))
}

/**
 * Reads one input. An answer is a value or an error of ours with a published code; anything else is a crash.
 *
 * @returns the kind of answer, without what differs from input to input: a new kind is an input worth keeping
 * @throws whatever is no answer
 */
export async function answerOf(target: Target, input: Uint8Array): Promise<string> {
  try {
    const read = await target.read(input)
    return typeof read === 'string' && /^[a-z-]{1,64}$/.test(read) ? `read ${read}` : 'read'
  } catch (thrown) {
    if (!(thrown instanceof DynamosError)) throw thrown
    const { code, message, name } = thrown
    if (!isPublished(code)) throw new Broken(`${name}: ${code} is no published code`, { cause: thrown })
    if (message.length > LONGEST_MESSAGE)
      throw new Broken(`${name}: a message of ${message.length} characters`, { cause: thrown })
    const kind = message.slice(0, 300).replaceAll(/"[^"]*"|'[^']*'|[\d.]+|\[\d+\]/g, '_')
    return `${name} ${code} ${kind}`.slice(0, 200)
  }
}

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
