import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../context.ts'
import { byId, parseInput, valueOfBody } from '../parse.ts'

const reasonError = 'expected a reason of 1 to 1000 characters: those who asked read it'
const refusing = z.strictObject({
  reason: z.string(reasonError).trim().min(1, reasonError).max(1000, reasonError)
})

/** What people of this organisation have to approve. */
export function approvalRoutes(api: FastifyInstance, { operations, callerOf }: RouteContext): void {
  api.get('/api/v1/approvals', (request) => operations.approvals(callerOf(request)))

  api.post('/api/v1/approvals/:id/approve', (request) => {
    const { id } = parseInput(request.params, byId)
    return operations.approve(id, callerOf(request))
  })

  api.post('/api/v1/approvals/:id/refuse', (request) => {
    const { id } = parseInput(request.params, byId)
    const { reason } = parseInput(valueOfBody(request.body), refusing)
    return operations.refuseApproval(id, reason, callerOf(request))
  })
}
