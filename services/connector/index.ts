/** Reads tables of a PostgreSQL server into files, in a process of its own: the only one of a data owner that has a network. */
export {
  type ConnectorAnswer,
  type ConnectorOrder,
  connectorAnswer,
  type DatabaseConnection
} from './order.ts'
