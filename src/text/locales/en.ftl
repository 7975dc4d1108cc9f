## Every page
product = Yaopai
