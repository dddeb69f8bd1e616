/** A manifest or archetype file that breaks its form; the message names the file and what was expected there. */
export class ManifestInvalid extends Error {
  static override readonly name = 'ManifestInvalid'
  override readonly name = ManifestInvalid.name
  readonly code = 'manifest-invalid'
  readonly file: string

  constructor(file: string, expected: string, options?: ErrorOptions) {
    super(`${file}: ${expected}`, options)
    this.file = file
  }
}
