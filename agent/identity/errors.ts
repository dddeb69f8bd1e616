import { DynamosError } from '../../protocol/errors/index.ts'

export class NotAKeyFile extends DynamosError {
  static override readonly name = 'NotAKeyFile'
  constructor(path: string, found: string, options?: ErrorOptions) {
    super('not-a-key-file', `${path}: expected a key file of this agent, found ${found}`, options)
  }
}

export class KeyFileMissing extends DynamosError {
  static override readonly name = 'KeyFileMissing'
  constructor(path: string, options?: ErrorOptions) {
    super(
      'key-file-missing',
      `${path}: expected a key file, found nothing; 'dynamos init' makes one`,
      options
    )
  }
}

export class KeyFileOpen extends DynamosError {
  static override readonly name = 'KeyFileOpen'
  constructor(path: string, mode: number) {
    super(
      'key-file-open',
      `${path}: expected a file that only its owner reads, found mode ${mode.toString(8).padStart(4, '0')}; type: chmod 600 ${path}`
    )
  }
}

export class WrongPassphrase extends DynamosError {
  static override readonly name = 'WrongPassphrase'
  constructor(path: string, message = 'the passphrase does not open this key, or the file was altered') {
    super('wrong-passphrase', `${path}: ${message}`)
  }
}

export class DirectoryInUse extends DynamosError {
  static override readonly name = 'DirectoryInUse'
  constructor(directory: string, pid: number | undefined) {
    super(
      'directory-in-use',
      `${directory}: another agent${pid === undefined ? '' : ` (process ${pid})`} runs on this data directory; stop it first, or give this one a directory of its own`
    )
  }
}
