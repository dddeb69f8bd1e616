export * from './assignment.ts'
export * from './csv-field.ts'
export * from './report.ts'
