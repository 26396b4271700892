//! Statements of the same kinds as those of TPC-H, in words and values of our own: what is joined,
//! narrowed and grouped is alike. The one that needs a view is left out.

/// Name and text.
pub(crate) const QUERIES: &[(&str, &str)] = &[
    (
        "1 totals by state",
        "SELECT l.l_returnflag, l.l_linestatus, count(*), sum(l.l_quantity), avg(l.l_discount),
                sum(l.l_extendedprice * (1 - l.l_discount)),
                sum(l.l_extendedprice * (1 - l.l_discount) * (1 + l.l_tax))
         FROM lineitem l WHERE l.l_shipdate <= date '1998-08-20'
         GROUP BY l.l_returnflag, l.l_linestatus ORDER BY 1, 2",
    ),
    (
        "2 cheapest supplier",
        "SELECT s.s_name, n.n_name, p.p_partkey, s.s_acctbal
         FROM part p
         JOIN partsupp ps ON ps.ps_partkey = p.p_partkey
         JOIN supplier s ON s.s_suppkey = ps.ps_suppkey
         JOIN nation n ON n.n_nationkey = s.s_nationkey
         JOIN region r ON r.r_regionkey = n.n_regionkey
         WHERE p.p_size = 23 AND p.p_type LIKE '%STEEL' AND r.r_name = 'ASIA'
           AND ps.ps_supplycost = (
               SELECT min(other.ps_supplycost) FROM partsupp other
               JOIN supplier t ON t.s_suppkey = other.ps_suppkey
               JOIN nation m ON m.n_nationkey = t.s_nationkey
               JOIN region q ON q.r_regionkey = m.n_regionkey
               WHERE other.ps_partkey = p.p_partkey AND q.r_name = 'ASIA')
         ORDER BY s.s_acctbal DESC, n.n_name, s.s_name, p.p_partkey LIMIT 100",
    ),
    (
        "3 open orders of a segment",
        "SELECT o.o_orderkey, o.o_orderdate, sum(l.l_extendedprice * (1 - l.l_discount)) AS worth
         FROM customer c
         JOIN orders o ON o.o_custkey = c.c_custkey
         JOIN lineitem l ON l.l_orderkey = o.o_orderkey
         WHERE c.c_mktsegment = 'MACHINERY' AND o.o_orderdate < date '1995-03-20'
           AND l.l_shipdate > date '1995-03-20'
         GROUP BY o.o_orderkey, o.o_orderdate ORDER BY worth DESC, o.o_orderdate LIMIT 10",
    ),
    (
        "4 late orders by priority",
        "SELECT o.o_orderpriority, count(*) FROM orders o
         WHERE o.o_orderdate >= date '1994-04-01' AND o.o_orderdate < date '1994-07-01'
           AND EXISTS (SELECT 1 FROM lineitem l
                       WHERE l.l_orderkey = o.o_orderkey AND l.l_commitdate < l.l_receiptdate)
         GROUP BY o.o_orderpriority ORDER BY 1",
    ),
    (
        "5 trade within a region",
        "SELECT n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS worth
         FROM region r
         JOIN nation n ON n.n_regionkey = r.r_regionkey
         JOIN supplier s ON s.s_nationkey = n.n_nationkey
         JOIN lineitem l ON l.l_suppkey = s.s_suppkey
         JOIN orders o ON o.o_orderkey = l.l_orderkey
         JOIN customer c ON c.c_custkey = o.o_custkey AND c.c_nationkey = s.s_nationkey
         WHERE r.r_name = 'EUROPE' AND o.o_orderdate >= date '1995-01-01'
           AND o.o_orderdate < date '1996-01-01'
         GROUP BY n.n_name ORDER BY worth DESC",
    ),
    (
        "6 gain without discounts",
        "SELECT sum(l.l_extendedprice * l.l_discount) FROM lineitem l
         WHERE l.l_shipdate >= date '1995-01-01' AND l.l_shipdate < date '1996-01-01'
           AND l.l_discount BETWEEN 0.04 AND 0.06 AND l.l_quantity < 25",
    ),
    (
        "7 trade between two nations",
        "SELECT a.n_name, b.n_name, extract(year FROM l.l_shipdate), sum(l.l_extendedprice)
         FROM supplier s
         JOIN lineitem l ON l.l_suppkey = s.s_suppkey
         JOIN orders o ON o.o_orderkey = l.l_orderkey
         JOIN customer c ON c.c_custkey = o.o_custkey
         JOIN nation a ON a.n_nationkey = s.s_nationkey
         JOIN nation b ON b.n_nationkey = c.c_nationkey
         WHERE (a.n_name = 'JAPAN' AND b.n_name = 'KENYA' OR a.n_name = 'KENYA' AND b.n_name = 'JAPAN')
           AND l.l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31'
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    ),
    (
        "8 a nation's share",
        "SELECT extract(year FROM o.o_orderdate),
                sum(CASE WHEN a.n_name = 'PERU' THEN l.l_extendedprice ELSE 0 END) / sum(l.l_extendedprice)
         FROM part p
         JOIN lineitem l ON l.l_partkey = p.p_partkey
         JOIN supplier s ON s.s_suppkey = l.l_suppkey
         JOIN orders o ON o.o_orderkey = l.l_orderkey
         JOIN customer c ON c.c_custkey = o.o_custkey
         JOIN nation b ON b.n_nationkey = c.c_nationkey
         JOIN region r ON r.r_regionkey = b.n_regionkey
         JOIN nation a ON a.n_nationkey = s.s_nationkey
         WHERE r.r_name = 'AMERICA' AND p.p_type = 'PROMO BRUSHED COPPER'
           AND o.o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31'
         GROUP BY 1 ORDER BY 1",
    ),
    (
        "9 profit by nation and year",
        "SELECT n.n_name, extract(year FROM o.o_orderdate),
                sum(l.l_extendedprice * (1 - l.l_discount) - ps.ps_supplycost * l.l_quantity)
         FROM part p
         JOIN lineitem l ON l.l_partkey = p.p_partkey
         JOIN supplier s ON s.s_suppkey = l.l_suppkey
         JOIN partsupp ps ON ps.ps_partkey = l.l_partkey AND ps.ps_suppkey = l.l_suppkey
         JOIN orders o ON o.o_orderkey = l.l_orderkey
         JOIN nation n ON n.n_nationkey = s.s_nationkey
         WHERE p.p_name LIKE '%plum%'
         GROUP BY 1, 2 ORDER BY 1, 2 DESC",
    ),
    (
        "10 customers who send back",
        "SELECT c.c_custkey, c.c_name, n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS lost
         FROM customer c
         JOIN orders o ON o.o_custkey = c.c_custkey
         JOIN lineitem l ON l.l_orderkey = o.o_orderkey
         JOIN nation n ON n.n_nationkey = c.c_nationkey
         WHERE o.o_orderdate >= date '1994-01-01' AND o.o_orderdate < date '1994-04-01'
           AND l.l_returnflag = 'R'
         GROUP BY c.c_custkey, c.c_name, n.n_name ORDER BY lost DESC LIMIT 20",
    ),
    (
        "11 a nation's stock",
        "SELECT ps.ps_partkey, sum(ps.ps_supplycost * ps.ps_availqty) AS worth
         FROM partsupp ps
         JOIN supplier s ON s.s_suppkey = ps.ps_suppkey
         JOIN nation n ON n.n_nationkey = s.s_nationkey
         WHERE n.n_name = 'CANADA'
         GROUP BY ps.ps_partkey
         HAVING sum(ps.ps_supplycost * ps.ps_availqty) > (
             SELECT sum(q.ps_supplycost * q.ps_availqty) * 0.001 FROM partsupp q
             JOIN supplier t ON t.s_suppkey = q.ps_suppkey
             JOIN nation m ON m.n_nationkey = t.s_nationkey WHERE m.n_name = 'CANADA')
         ORDER BY worth DESC",
    ),
    (
        "12 lateness by way of shipping",
        "SELECT l.l_shipmode, count(*) FILTER (WHERE o.o_orderpriority < '3'),
                count(*) FILTER (WHERE o.o_orderpriority >= '3')
         FROM orders o JOIN lineitem l ON l.l_orderkey = o.o_orderkey
         WHERE l.l_shipmode IN ('RAIL', 'TRUCK') AND l.l_commitdate < l.l_receiptdate
           AND l.l_shipdate < l.l_commitdate
           AND l.l_receiptdate >= date '1995-01-01' AND l.l_receiptdate < date '1996-01-01'
         GROUP BY l.l_shipmode ORDER BY 1",
    ),
    (
        "13 customers by orders",
        "SELECT orders_each, count(*) FROM (
             SELECT c.c_custkey, count(o.o_orderkey) AS orders_each
             FROM customer c LEFT JOIN orders o
               ON o.o_custkey = c.c_custkey AND o.o_comment NOT LIKE '%pending%deposits%'
             GROUP BY c.c_custkey) each_one
         GROUP BY orders_each ORDER BY 2 DESC, 1 DESC",
    ),
    (
        "14 share of promotions",
        "SELECT sum(CASE WHEN p.p_type LIKE 'PROMO%' THEN l.l_extendedprice ELSE 0 END)
                / sum(l.l_extendedprice)
         FROM lineitem l JOIN part p ON p.p_partkey = l.l_partkey
         WHERE l.l_shipdate >= date '1996-03-01' AND l.l_shipdate < date '1996-04-01'",
    ),
    (
        "16 suppliers by kind of part",
        "SELECT p.p_brand, p.p_type, p.p_size, count(DISTINCT ps.ps_suppkey) AS suppliers
         FROM partsupp ps JOIN part p ON p.p_partkey = ps.ps_partkey
         WHERE p.p_brand <> 'Brand#31' AND p.p_type NOT LIKE 'SMALL PLATED%'
           AND p.p_size IN (3, 9, 14, 19, 23, 36, 45, 49)
           AND ps.ps_suppkey NOT IN (SELECT s_suppkey FROM supplier
                                     WHERE s_comment LIKE '%Customer%Complaints%')
         GROUP BY 1, 2, 3 ORDER BY suppliers DESC, 1, 2, 3",
    ),
    (
        "17 small orders of a part",
        "SELECT sum(l.l_extendedprice) / 7.0 FROM lineitem l
         JOIN part p ON p.p_partkey = l.l_partkey
         WHERE p.p_brand = 'Brand#34' AND p.p_container = 'LG BAG'
           AND l.l_quantity < (SELECT avg(other.l_quantity) / 5 FROM lineitem other
                               WHERE other.l_partkey = p.p_partkey)",
    ),
    (
        "18 large orders",
        "SELECT c.c_name, o.o_orderkey, o.o_orderdate, o.o_totalprice, sum(l.l_quantity)
         FROM customer c
         JOIN orders o ON o.o_custkey = c.c_custkey
         JOIN lineitem l ON l.l_orderkey = o.o_orderkey
         WHERE o.o_orderkey IN (SELECT big.l_orderkey FROM lineitem big
                                GROUP BY big.l_orderkey HAVING sum(big.l_quantity) > 301)
         GROUP BY c.c_custkey, c.c_name, o.o_orderkey, o.o_orderdate, o.o_totalprice
         ORDER BY o.o_totalprice DESC, o.o_orderdate LIMIT 100",
    ),
    (
        "19 three kinds of parcels",
        "SELECT sum(l.l_extendedprice * (1 - l.l_discount))
         FROM lineitem l JOIN part p ON p.p_partkey = l.l_partkey
         WHERE l.l_shipmode IN ('AIR', 'AIR REG') AND l.l_shipinstruct = 'DELIVER IN PERSON'
           AND (p.p_brand = 'Brand#22' AND p.p_container IN ('SM CASE', 'SM BOX', 'SM PACK')
                    AND l.l_quantity BETWEEN 4 AND 14 AND p.p_size BETWEEN 1 AND 5
             OR p.p_brand = 'Brand#35' AND p.p_container IN ('MED BAG', 'MED BOX', 'MED PKG')
                    AND l.l_quantity BETWEEN 15 AND 25 AND p.p_size BETWEEN 1 AND 10
             OR p.p_brand = 'Brand#51' AND p.p_container IN ('LG CASE', 'LG BOX', 'LG PACK')
                    AND l.l_quantity BETWEEN 22 AND 32 AND p.p_size BETWEEN 1 AND 15)",
    ),
    (
        "20 suppliers with too much",
        "SELECT s.s_name, s.s_address FROM supplier s JOIN nation n ON n.n_nationkey = s.s_nationkey
         WHERE n.n_name = 'BRAZIL' AND s.s_suppkey IN (
             SELECT ps.ps_suppkey FROM partsupp ps
             WHERE ps.ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'khaki%')
               AND ps.ps_availqty > (
                   SELECT sum(l.l_quantity) / 2 FROM lineitem l
                   WHERE l.l_partkey = ps.ps_partkey AND l.l_suppkey = ps.ps_suppkey
                     AND l.l_shipdate >= date '1995-01-01' AND l.l_shipdate < date '1996-01-01'))
         ORDER BY s.s_name",
    ),
    (
        "21 suppliers who kept others waiting",
        "SELECT s.s_name, count(*) AS waits
         FROM supplier s
         JOIN lineitem l ON l.l_suppkey = s.s_suppkey
         JOIN orders o ON o.o_orderkey = l.l_orderkey
         JOIN nation n ON n.n_nationkey = s.s_nationkey
         WHERE n.n_name = 'EGYPT' AND o.o_orderstatus = 'F' AND l.l_receiptdate > l.l_commitdate
           AND EXISTS (SELECT 1 FROM lineitem b
                       WHERE b.l_orderkey = l.l_orderkey AND b.l_suppkey <> l.l_suppkey)
           AND NOT EXISTS (SELECT 1 FROM lineitem d
                           WHERE d.l_orderkey = l.l_orderkey AND d.l_suppkey <> l.l_suppkey
                             AND d.l_receiptdate > d.l_commitdate)
         GROUP BY s.s_name ORDER BY waits DESC, s.s_name LIMIT 100",
    ),
    (
        "22 rich customers without orders",
        "SELECT substring(c.c_phone FROM 1 FOR 2) AS code, count(*), sum(c.c_acctbal)
         FROM customer c
         WHERE substring(c.c_phone FROM 1 FOR 2) IN ('11', '14', '19', '22', '25', '29', '33')
           AND c.c_acctbal > (SELECT avg(d.c_acctbal) FROM customer d WHERE d.c_acctbal > 0)
           AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.o_custkey = c.c_custkey)
         GROUP BY code ORDER BY code",
    ),
];
