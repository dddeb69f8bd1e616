import { DynamosError } from '../../protocol/errors/index.ts'

/** A capability that is not its peer's own current one. */
export class CapabilityRefused extends DynamosError {
  static override readonly name = 'CapabilityRefused'
}
