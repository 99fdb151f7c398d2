-- Back to counting at every request.

DO $$
DECLARE
    layer record;
BEGIN
    FOR layer IN
        SELECT tgrelid::regclass AS name, tgfoid::regprocedure AS tally, relname
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE tgname = 'tally_insert'
    LOOP
        EXECUTE format(
            'DROP TRIGGER tally_insert ON %1$s;
             DROP TRIGGER tally_update ON %1$s;
             DROP TRIGGER tally_delete ON %1$s;
             DROP TRIGGER tally_truncate ON %1$s;
             DROP FUNCTION %2$s;
             DROP VIEW geo.%3$I;',
            layer.name, layer.tally, 'tally_of_' || layer.relname
        );
    END LOOP;
END $$;
DROP FUNCTION geo.tally(regclass, text[]);
DROP FUNCTION geo.recount_cells(text);
DROP FUNCTION geo.fold_cells(integer);
DROP FUNCTION geo.levels();
DROP TABLE cells, cell_deltas;
DROP FUNCTION geo.cell(double precision);
DROP FUNCTION geo.centimetres(double precision);
