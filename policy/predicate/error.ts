import { DynamosError } from '../../protocol/errors/index.ts'

/** A `where:` outside the language. `position` counts characters from 0 in the predicate's own text. */
export class PredicateInvalid extends DynamosError {
  static override readonly name = 'PredicateInvalid'
  readonly position: number

  constructor(message: string, position: number) {
    super('agreement-malformed', `${message} (character ${position + 1})`)
    this.position = position
  }
}
