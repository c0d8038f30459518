"""Lines of invented CIF files: three stations, one train."""

from datetime import date

import pandas as pd

MONDAY = date(2026, 6, 1)
TIPLOCS = pd.Series({"AAATOWN": "AAA", "BBBTOWN": "BBB", "CCCTOWN": "CCC"})
HEADER = "HDTPS.UDFROC1.PD2606012606011927DFROC1MDFROC1LFA010626010627".ljust(80)


def bs(uid="U00001", *, transaction="N", first="260601", last="261231", days="1111111", status="P", stp="P", kind="OO"):
    return f"BS{transaction}{uid}{first}{last}{days} {status}{kind}".ljust(79) + stp


def lo(tiploc, at, public=None):
    return f"LO{tiploc:<8}{at:<5}{public or at[:4]}".ljust(80)


def li(tiploc, arrive, depart, public=None):
    return f"LI{tiploc:<8}{arrive:<5}{depart:<5}     {public or arrive[:4]}{public or depart[:4]}".ljust(80)


def passing(tiploc, at):
    return f"LI{tiploc:<8}{'':<5}{'':<5}{at:<5}00000000".ljust(80)


def lt(tiploc, at, public=None):
    return f"LT{tiploc:<8}{at:<5}{public or at[:4]}".ljust(80)


A_TO_C = [lo("AAATOWN", "0830"), li("BBBTOWN", "0840H", "0842"), lt("CCCTOWN", "0855")]


def write(tmp_path, *lines, name="timetable.cif"):
    path = tmp_path / name
    path.write_bytes(("\n".join([HEADER, *lines, "ZZ".ljust(80)]) + "\n").encode())
    return path


def ti(tiploc, code, name="", *, kind="TI", new=""):
    return f"{kind}{tiploc:<7}".ljust(18) + f"{name:<26}".ljust(35) + f"{code:<3}".ljust(19) + new.ljust(8)
