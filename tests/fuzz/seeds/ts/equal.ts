@equalLength true
@seriesLength 2
@missing false
@classLabel true a
@data
1,2.5e3:a
-3,+4:a
