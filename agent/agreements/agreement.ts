import type { z } from 'zod'
import type { Signed } from '../../protocol/documents/index.ts'
import type { agreementReply } from '../../protocol/messages/index.ts'

export type Agreement = Signed<'agreement'>

export type AgreementReply = z.infer<typeof agreementReply>
