import { z } from 'zod'

/** Of one result: who gave it, who gave the same, and the digests of both canonical forms with what they are salted with. */
export const verifiedView = z.object({
  of: z.string(),
  at: z.string(),
  digest: z.string(),
  again: z.string(),
  salt: z.string()
})

/** Of all results of a request, as the recipient signed it. */
export const verificationView = z.object({
  of: z.string(),
  at: z.string(),
  results: z.array(z.object({ first: z.string(), again: z.string() }))
})
export type VerificationView = z.infer<typeof verificationView>

/** `again`: run once more, to be compared. */
export const chainStepView = z.object({
  service: z.string(),
  at: z.string(),
  again: z.literal(true).exactOptional()
})

/** Why a request failed. */
export const failureView = z.object({
  code: z.string(),
  hop: z.string().nullable(),
  step: z.string().nullable(),
  position: z.number().nullable(),
  message: z.string(),
  /** With `verification-differs`. */
  verification: verificationView.exactOptional()
})
