import { DynamosError } from '../../protocol/errors/index.ts'

export class ApprovalNotFound extends DynamosError {
  static override readonly name = 'ApprovalNotFound'
  constructor(request: string) {
    super(
      'not-found',
      `no request ${request} had to be approved here; \`dynamos approvals list\` shows what waits`
    )
  }
}

export class NotAnApprover extends DynamosError {
  static override readonly name = 'NotAnApprover'
  constructor(user: string, by: readonly string[]) {
    super('not-an-approver', `expected the token of ${by.join(' or ')}, found that of ${user}`)
  }
}

/** Too late: it ran out, was decided, or is not asked for any more. */
export class ApprovalOver extends DynamosError {
  static override readonly name = 'ApprovalOver'
  constructor(found: string) {
    super('already-ended', `expected a request that waits for an approval, found one that ${found}`)
  }
}
