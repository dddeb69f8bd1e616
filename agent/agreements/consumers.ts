import type { Payload } from '../../protocol/documents/index.ts'

export function isConsumer(payload: Payload<'agreement'>, organisation: string): boolean {
  return payload.terms.consumers.some((consumer) =>
    'user' in consumer ? consumer.user.organisation === organisation : consumer.organisation === organisation
  )
}
