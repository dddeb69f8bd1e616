import { DynamosError } from '../../protocol/errors/index.ts'

export class DatasetMissing extends DynamosError {
  static override readonly name = 'DatasetMissing'
  constructor(message: string, options?: ErrorOptions) {
    super('dataset-missing', message, options)
  }
}

/** The file is not the one that was profiled: what was said of it may be wrong. */
export class DatasetReplaced extends DynamosError {
  static override readonly name = 'DatasetReplaced'
  constructor(message: string) {
    super('dataset-changed', message)
  }
}

/** A column, as it is, cannot become what the agreement says. The message names columns and types only. */
export class AnonymizeImpossible extends DynamosError {
  static override readonly name = 'AnonymizeImpossible'
  constructor(message: string) {
    super('anonymize-parameters', message)
  }
}
