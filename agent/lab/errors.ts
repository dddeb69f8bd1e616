import { DynamosError } from '../../protocol/errors/index.ts'

/** A lab that did not come up, with the agent that was the reason and the end of its log. */
export class LabFailed extends DynamosError {
  static override readonly name = 'LabFailed'
  constructor(message: string, options?: ErrorOptions) {
    super('lab-failed', message, options)
  }
}

export class LabRuns extends DynamosError {
  static override readonly name = 'LabRuns'
  constructor(dir: string, names: readonly string[]) {
    super(
      'lab-runs',
      `${dir}: a lab runs there (${names.join(', ')}); end it with "dynamos lab down --dir ${dir}", or choose another --dir`
    )
  }
}

export class DriverNotYet extends DynamosError {
  static override readonly name = 'DriverNotYet'
  constructor(driver: string) {
    super('driver-not-yet', `--driver: expected process, found ${driver}; this version starts processes only`)
  }
}
