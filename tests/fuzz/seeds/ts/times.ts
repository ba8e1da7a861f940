@timeStamps true
@missing true
@classLabel	false
@targetLabel true
@data
(0,1),(1,?):(0,2.5),(1,3):0.5
(0,-1):(0,4):1
