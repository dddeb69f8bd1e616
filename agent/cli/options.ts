import type { Command } from 'commander'
import { z } from 'zod'
import { UsageError } from './exit.ts'

/** What a command was called with, before it is believed. */
export interface Input {
  args: unknown
  options: unknown
}

/**
 * Arguments and options of a command as its own plain object.
 *
 * @throws {UsageError} naming the option
 */
export function parseOptions<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const name = issue?.path.map(String).join('.') ?? ''
  const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new UsageError(`--${option}: ${issue?.message ?? 'not as expected'}`)
}

/** `--by a,b --by c` */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), ...value.split(',').map((part) => part.trim())].filter((part) => part !== '')
}

/** A number on the command line. */
export const seconds = z.coerce
  .number('expected a number of seconds')
  .positive('expected more than 0 seconds')
export const days = z.coerce
  .number('expected a number of days')
  .positive('expected more than 0 days')
  .max(36_500)

export type Register = (program: Command, run: Runner) => void

/** Binds a handler, which is loaded only when its command is called. */
export type Runner = (
  handler: (context: import('./context.ts').Context, input: Input) => Promise<number | undefined>
) => (this: Command) => Promise<void>
