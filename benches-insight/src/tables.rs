//! The tables, primary keys only, and their rows.

use std::error::Error;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

const TABLES: &str = "
CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL, n_comment varchar(152));
CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey int NOT NULL, s_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL, s_comment varchar(101) NOT NULL);
CREATE TABLE part (p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL, p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL, p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL);
CREATE TABLE partsupp (ps_partkey int NOT NULL, ps_suppkey int NOT NULL, ps_availqty int NOT NULL, ps_supplycost numeric(15,2) NOT NULL, ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey int NOT NULL, c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
CREATE TABLE orders (o_orderkey int PRIMARY KEY, o_custkey int NOT NULL, o_orderstatus char(1) NOT NULL, o_totalprice numeric(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL, o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
CREATE TABLE lineitem (l_orderkey int NOT NULL, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int NOT NULL, l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber));";

/// Makes the tables and fills them, through files that the server reads.
pub(crate) async fn fill(conn: &mut AsyncPgConnection, scale: f64) -> Result<(), Box<dyn Error>> {
    conn.batch_execute(TABLES).await?;
    let folder = tempfile::tempdir()?;
    #[cfg(unix)]
    {
        // The server runs as another user.
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    }
    let at = |table: &str| folder.path().join(table);
    write(&at("region"), RegionGenerator::new(scale, 1, 1).iter())?;
    write(&at("nation"), NationGenerator::new(scale, 1, 1).iter())?;
    write(&at("supplier"), SupplierGenerator::new(scale, 1, 1).iter())?;
    write(&at("part"), PartGenerator::new(scale, 1, 1).iter())?;
    write(&at("partsupp"), PartSuppGenerator::new(scale, 1, 1).iter())?;
    write(&at("customer"), CustomerGenerator::new(scale, 1, 1).iter())?;
    write(&at("orders"), OrderGenerator::new(scale, 1, 1).iter())?;
    write(&at("lineitem"), LineItemGenerator::new(scale, 1, 1).iter())?;
    for table in
        ["region", "nation", "supplier", "part", "partsupp", "customer", "orders", "lineitem"]
    {
        let path = at(table);
        let path = path.display();
        let copy = format!("COPY {table} FROM '{path}' WITH (DELIMITER '|')");
        conn.batch_execute(&copy).await?;
    }
    conn.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// A line for each row. The generator ends each with a border, which a border begins a column for.
fn write(path: &Path, rows: impl Iterator<Item = impl Display>) -> Result<(), std::io::Error> {
    let mut file = BufWriter::new(File::create(path)?);
    for row in rows {
        let line = row.to_string();
        writeln!(file, "{}", line.strip_suffix('|').unwrap_or(&line))?;
    }
    file.flush()
}
