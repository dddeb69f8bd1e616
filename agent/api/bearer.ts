import type { Caller } from './caller.ts'
import { ApiProblem } from './problem.ts'

/** Whose token it is; takes as long for a wrong token as for a right one. */
export interface TokenVerifier {
  userOf(bearer: string): string | undefined
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i

/** @throws {ApiProblem} 401 */
export function verifyBearer(header: string | undefined, tokens: TokenVerifier): Caller {
  const token = header === undefined ? undefined : BEARER.exec(header)?.[1]
  if (token === undefined)
    throw new ApiProblem(
      401,
      'token-missing',
      'expected "Authorization: Bearer TOKEN"; the token is in the file that api.token of agent.yaml names'
    )
  const user = tokens.userOf(token)
  if (user === undefined)
    throw new ApiProblem(
      401,
      'token-wrong',
      'no user of this agent has this token; is it the token of another agent?'
    )
  return { user }
}
