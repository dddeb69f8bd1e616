import { z } from 'zod'

/** `GET …/requests/ID/contract`. Header and sections are the signed documents' own fields, as docs/protocol.md lists them. */
export const contractView = z.object({
  contract: z.string(),
  header: z.looseObject({ type: z.literal('contract') }),
  /** Those addressed to this agent; none of it is a party's own secret. */
  sections: z.array(z.looseObject({ as: z.string() })),
  acceptances: z.array(
    z.object({
      acceptance: z.string(),
      organisation: z.string(),
      issuer: z.string(),
      issuedAt: z.string()
    })
  )
})
export type ContractView = z.infer<typeof contractView>
