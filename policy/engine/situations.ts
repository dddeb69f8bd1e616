import { QUESTIONS, type Question } from '../../protocol/documents/index.ts'
import type { Situation } from './condition.ts'
import { SUBJECTS, type Subject } from './rules.ts'

/** Which resources each question is about, as the published schema has it; a test holds the two together. */
export const ASKED_ABOUT: Readonly<Record<Question, readonly Subject[]>> = {
  discover: ['Agreement'],
  offer: ['Agreement'],
  host: ['Hosting'],
  accept: ['Agreement', 'Hosting', 'Delivery'],
  start: ['Agreement', 'Hosting', 'Delivery'],
  continue: ['Agreement', 'Hosting', 'Delivery'],
  send: ['Agreement', 'Contract'],
  release: ['Agreement', 'Contract'],
  receive: ['Contract', 'Delivery']
}

/** Every question about every kind of resource that it is asked about. */
export function situations(subjects: readonly Subject[] = SUBJECTS): Situation[] {
  return QUESTIONS.flatMap((question) =>
    ASKED_ABOUT[question]
      .filter((subject) => subjects.includes(subject))
      .map((subject) => ({ question, subject }))
  )
}
