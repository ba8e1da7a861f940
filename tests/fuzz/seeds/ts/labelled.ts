#a comment
@problemName x
@timeStamps false
@univariate false
@dimensions 2
@classLabel true no yes
@data
1,2:3,4:no
5,6,7:8,9,10:yes
