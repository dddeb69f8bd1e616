import { z } from 'zod'
import { MAX_HIERARCHY_LENGTH } from '../../policy/index.ts'

/** An agreement as a file has it. */
export const agreementText = z
  .string()
  .min(1)
  .max(1 << 20)
/** Hierarchy files that the text names, by the names it gives them; who reads an agreement says what is too long. */
export const agreementFiles = z
  .record(z.string().min(1).max(256), z.string().max(MAX_HIERARCHY_LENGTH + 1))
  .refine((all) => Object.keys(all).length <= 16, 'expected at most 16 files')
