export * from './assignment.ts'
export * from './report.ts'
