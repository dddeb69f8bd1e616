import { z } from 'zod'
import { decodePlain, fields, type SignedBytes } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'

const named = z.looseObject({ issuer: fields.peer, statusNumber: fields.count })

/**
 * The numbers of status lists that acceptances in a message name, with who names them. Believed by nobody: whoever names a
 * higher number than ours is asked for the list, which proves itself.
 */
export function statusNumbersIn(message: WireMessage): { peer: string; number: number }[] {
  const acceptances: readonly SignedBytes[] =
    message.kind === 'acceptance' ? [message.acceptance] : message.kind === 'start' ? message.acceptances : []
  return acceptances.map(({ payload }) => {
    const { issuer, statusNumber } = decodePlain(payload, named)
    return { peer: issuer, number: statusNumber }
  })
}
