"""Unit ids of Grafana and the symbols that stand for them. A table of facts; `units.py` does the arithmetic.

Each line of a table reads `id=symbol`. The number before a table is how many prefixes the value already carries: a value in `kbytes` is in KiB.
"""


def _table(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split())


# prefix offset -> unit; steps of 1000 with SI prefixes
DECIMAL: dict[int, dict[str, str]] = {
    0: _table("""
        sishort= candela=cd flops=FLOPS decbytes=B decbits=b pps=p/s Bps=B/s bps=b/s watt=W Wm2=W/m² voltamp=VA
        voltampreact=VAr watth=Wh watthperkg=Wh/kg amph=Ah joule=J ev=eV amp=A volt=V ohm=Ω farad=F henry=H lumens=Lm
        forceNm=Nm forceN=N Hs=H/s massg=g lengthm=m pressurebar=bar pressurepa=Pa radbq=Bq radci=Ci radgy=Gy
        radrad=rad radsv=Sv radrem=rem radexpckg=C/kg radr=R radsvh=Sv/h rothz=Hz hertz=Hz litre=L
    """),
    2: _table("""
        mflops=FLOPS decmbytes=B MBs=B/s Mbits=b/s megwatt=W mwatth=Wh Mohm=Ω MHs=H/s rotmhz=Hz
    """),
    3: _table("""
        gflops=FLOPS decgbytes=B GBs=B/s Gbits=b/s gwatt=W GHs=H/s rotghz=Hz
    """),
    4: _table("""
        tflops=FLOPS dectbytes=B TBs=B/s Tbits=b/s THs=H/s
    """),
    5: _table("""
        pflops=FLOPS decpbytes=B PBs=B/s Pbits=b/s PHs=H/s
    """),
    6: _table("""
        eflops=FLOPS EHs=H/s
    """),
    7: _table("""
        zflops=FLOPS
    """),
    8: _table("""
        yflops=FLOPS
    """),
    1: _table("""
        deckbytes=B KBs=B/s Kbits=b/s kwatt=W kvoltamp=VA kvoltampreact=VAr kwatth=Wh kwattm=W-Min kamph=Ah kamp=A
        kvolt=V kohm=Ω forcekNm=Nm forcekN=N KHs=H/s masskg=g lengthkm=m pressurekbar=bar rotkhz=Hz
    """),
    -1: _table("""
        mwatt=W mamph=Ah mamp=A mvolt=V mohm=Ω mhenry=H massmg=g lengthmm=m pressurembar=bar radmsv=Sv radmsvh=Sv/h
        mlitre=L
    """),
    -2: _table("""
        µfarad=F µhenry=H radusv=Sv radusvh=Sv/h
    """),
    -3: _table("""
        nfarad=F
    """),
    -4: _table("""
        pfarad=F
    """),
    -5: _table("""
        ffarad=F
    """),
}
# steps of 1024
BINARY: dict[int, dict[str, str]] = {
    0: _table("""
        bytes=B bits=b binBps=B/s binbps=b/s
    """),
    1: _table("""
        kbytes=B KiBs=B/s Kibits=b/s
    """),
    2: _table("""
        mbytes=B MiBs=B/s Mibits=b/s
    """),
    3: _table("""
        gbytes=B GiBs=B/s Gibits=b/s
    """),
    4: _table("""
        tbytes=B TiBs=B/s Tibits=b/s
    """),
    5: _table("""
        pbytes=B PiBs=B/s Pibits=b/s
    """),
}
# never scaled
PLAIN: dict[int, dict[str, str]] = {
    0: _table("""
        humidity=%H dB=dB pixel=px accMS2=m/sec² accFS2=f/sec² accG=g degree=° radian=rad grad=grad arcmin=arcmin
        arcsec=arcsec areaM2=m² areaF2=ft² areaMI2=mi² acres=ac hectares=ha ppm=ppm conppb=ppb conngm3=ng/m³
        conngNm3=ng/Nm³ conμgm3=μg/m³ conμgNm3=μg/Nm³ conmgm3=mg/m³ conmgNm3=mg/Nm³ congm3=g/m³ congNm3=g/Nm³
        conmgdL=mg/dL conmmolL=mmol/L dBm=dbm flowgpm=gpm flowcms=cms flowcfs=cfs flowcfm=cfm litreh=L/h flowlpm=L/min
        flowmlpm=mL/min lux=lux masslb=lb masst=t lengthcm=cm lengthin=in lengthft=ft lengthmi=mi pressurehpa=hPa
        pressurekpa=kPa pressurehg=\"Hg rotrpm=rpm rotrads=rad/s rotdegs=°/s celsius=°C fahrenheit=°F kelvin=K
        velocityms=m/s velocitykmh=km/h velocitymph=mph velocityknot=kn m3=m³ Nm3=Nm³ dm3=dm³ gallons=gal
    """),
}
# symbol before (0) or behind (1) the number, steps of 1000
CURRENCY: dict[int, dict[str, str]] = {
    0: _table("""
        currencyUSD=$ currencyGBP=£ currencyEUR=€ currencyJPY=¥ currencyRUB=₽ currencyUAH=₴ currencyBRL=R$
        currencyCZK=czk currencyCHF=CHF currencyPLN=PLN currencyBTC=฿ currencymBTC=mBTC currencyμBTC=μBTC
        currencyZAR=R currencyINR=₹ currencyKRW=₩ currencyIDR=Rp currencyPHP=PHP currencyMYR=RM currencyXPF=XPF
        currencyBGN=BGN currencyPYG=₲ currencyUYU=UYU currencyILS=₪
    """),
    1: _table("""
        currencyDKK=kr currencyISK=kr currencyNOK=kr currencySEK=kr currencyVND=đ currencyTRY=₺
    """),
}
# rates of events, steps of 1000: K, M, B, T
COUNT: dict[int, dict[str, str]] = {
    0: _table("""
        cps=c/s ops=ops/s reqps=req/s rps=rd/s wps=wr/s iops=io/s eps=evt/s mps=msg/s recps=rec/s rowsps=rows/s
        cpm=c/m opm=ops/m reqpm=req/m rpm=rd/m wpm=wr/m epm=evts/m mpm=msgs/m recpm=rec/m rowspm=rows/m
    """),
}
