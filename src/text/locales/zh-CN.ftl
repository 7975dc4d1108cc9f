## 每个页面
product = 腰牌
