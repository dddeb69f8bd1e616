import { z } from 'zod'

/** The closed list of questions that policy is asked. */
export const QUESTIONS = [
  'discover',
  'offer',
  'host',
  'accept',
  'start',
  'send',
  'receive',
  'continue',
  'release'
] as const

export const question = z.enum(QUESTIONS)
export type Question = z.infer<typeof question>
