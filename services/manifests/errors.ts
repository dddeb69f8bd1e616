import { DynamosError } from '../../protocol/errors/index.ts'

/** A manifest or archetype file that breaks its form; the message names the file and what was expected there. */
export class ManifestInvalid extends DynamosError {
  static override readonly name = 'ManifestInvalid'
  readonly file: string

  constructor(file: string, expected: string, options?: ErrorOptions) {
    super('manifest-invalid', `${file}: ${expected}`, options)
    this.file = file
  }
}
