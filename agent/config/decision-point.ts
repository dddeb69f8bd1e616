import { z } from 'zod'
import { filePath } from './fields.ts'
import { duration } from './quantities.ts'

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const LONGEST_MS = 30_000

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

/** Whether what is asked there, and answered, stays between the two. */
function isPrivate(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || LOOPBACK.test(hostname)
}

/** A decision point as it is written in `agent.yaml`. */
export const decisionPoint = z
  .strictObject({
    url: z.string().max(2048).refine(isUrl, 'expected a URL such as http://127.0.0.1:8181/decide'),
    timeout: duration
      .refine((value) => value > 0 && value <= LONGEST_MS, 'expected more than no time and at most PT30S')
      .prefault('PT1S'),
    token: filePath.optional(),
    insecure: z.boolean().default(false)
  })
  .superRefine(({ url, insecure }, context) => {
    if (!isUrl(url)) return
    if (!insecure && !isPrivate(url))
      context.addIssue({
        code: 'custom',
        path: ['url'],
        message:
          'expected https, or an address of this machine: facts about requests and the answers to them would travel readable and changeable; insecure: true allows it'
      })
    const { username, password } = new URL(url)
    if (username !== '' || password !== '')
      context.addIssue({
        code: 'custom',
        path: ['url'],
        message: 'expected no name and password in it; put a token into a file and name that: token: FILE'
      })
  })

/** The same for programs. */
export function pointOf(
  { url, timeout, token }: z.output<typeof decisionPoint>,
  absolute: (path: string) => string
): { url: string; timeout: number; token?: string } {
  return { url, timeout, ...(token === undefined ? {} : { token: absolute(token) }) }
}
