import { DynamosError } from '../../protocol/errors/index.ts'

/** An agreement that cannot be put in force as it stands. */
export class AgreementNotSignable extends DynamosError {
  static override readonly name = 'AgreementNotSignable'
}
