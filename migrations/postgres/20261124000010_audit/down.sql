DROP TABLE audit_chain;
DROP TABLE audit_entries;
DROP FUNCTION refuse_audit_deletion();
DROP FUNCTION refuse_audit_change();
