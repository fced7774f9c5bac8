--- The words of panels' error texts: Azerbaijani, Uzbek, Bengali, Urdu, Malay; only the most common
-- wordings. See `smmpanel.api.words`.
-- @module smmpanel.api.words.further

return {
  az = {
    money = "balans*, vəsait*, pul", key = "açar*, api key*", account = "hesab*", service = "xidmət*, servis*",
    order = "sifariş*", link = "link*, keçid*", quantity = "miqdar*, say*", refill = "bərpa*, refil*",
    cancel = "ləğv*", request = "sorğu*", negated = "deyil, yoxdur, olmaz, edilə bilməz, mümkün deyil",
    enough = "kifayət qədər",
    lacking = "kifayət etmir, kifayət deyil, kifayət qədər deyil, yetərli deyil, çatmır, yetərsiz*",
    wrong = "yanlış*, səhv*, etibarsız*, düzgün deyil, keçərsiz*",
    missing = "tapılmadı*, mövcud deyil, yoxdur, naməlum*", inactive = "deaktiv*, aktiv deyil, dayandırıl*",
    banned = "bloklan*, qadağan*", able = "edilə, mümkün, dəstəkləmir", limits = "minimum*, maksimum*, ən az, ən çox",
    number_limits = "minimum*, maksimum*, ən az, ən çox", throttled = "çox sayda sorğu*, çox tez*",
    maintenance = "texniki iş*, təmir*, baxım*",
  },
  uz = {
    money = "balans*, mablag'*, hisobingizda, pul", key = "kalit*, api key*", account = "akkaunt*, hisob",
    service = "xizmat*", order = "buyurtma*, zakaz*", link = "havola*, link*", quantity = "miqdor*, soni, son",
    refill = "to'ldirish*, refil*", cancel = "bekor*", request = "so'rov*",
    negated = "emas, yo'q, bo'lmaydi, mumkin emas, qilinmaydi, bo'lmadi",
    lacking = "yetarli emas, yetarli mablag' yo'q, yetmaydi, kam, yetishmaydi",
    wrong = "noto'g'ri*, xato*, yaroqsiz*", missing = "topilmadi*, mavjud emas, yo'q, noma'lum*",
    inactive = "faol emas, o'chirilgan*, to'xtatilgan*", banned = "bloklangan*, taqiqlangan*", able = "mumkin",
    limits = "minimal*, maksimal*, kamida, ko'pi bilan", number_limits = "minimal*, maksimal*, kamida",
    throttled = "juda ko'p so'rov*", maintenance = "texnik ishlar*, ta'mirlash*",
  },
  ms = {
    money = "baki*, dana, kredit*", account = "akaun*", service = "perkhidmatan*", order = "pesanan*",
    link = "pautan*, link*", quantity = "kuantiti*", cancel = "batal*, dibatalkan*", request = "permintaan*",
    key = "kunci*, api key*", negated = "tidak, bukan", lacking = "tidak mencukupi, tidak cukup",
    wrong = "tidak sah, salah", missing = "tidak dijumpai, tidak wujud", able = "boleh, dapat",
    inactive = "tidak aktif", banned = "digantung*, disekat*", maintenance = "penyelenggaraan*",
    limits = "minimum*, maksimum*", number_limits = "minimum*, maksimum*", throttled = "terlalu banyak permintaan*",
  },
  bn = {
    money = "*ব্যালেন্স*, *ফান্ড*, *টাকা*", key = "*কী*, api key", account = "*অ্যাকাউন্ট*, *একাউন্ট*",
    service = "*সার্ভিস*, *সেবা*, *পরিষেবা*", order = "*অর্ডার*", link = "*লিংক*, *লিঙ্ক*",
    quantity = "*পরিমাণ*, *সংখ্যা*",
    cancel = "*বাতিল*, *ক্যানসেল*", negated = "*না*, *নেই*, *নয়*, *নি*",
    lacking = "*অপর্যাপ্ত*, *পর্যাপ্ত নয়*, *পর্যাপ্ত ব্যালেন্স নেই*, *পর্যাপ্ত টাকা নেই*, *যথেষ্ট*",
    wrong = "*অবৈধ*, *ভুল*, *সঠিক নয়*", missing = "*পাওয়া যায়নি*, *নেই*, *পাওয়া যায় নি*",
    inactive = "*নিষ্ক্রিয়*, *বন্ধ*", banned = "*নিষিদ্ধ*, *স্থগিত*", able = "*যাবে*, *যায়*",
    limits = "*সর্বনিম্ন*, *সর্বোচ্চ*", number_limits = "*সর্বনিম্ন*, *সর্বোচ্চ*",
    maintenance = "*রক্ষণাবেক্ষণ*, *মেইনটেন্যান্স*",
  },
  ur = {
    money = "*بیلنس*, *رقم*, *فنڈ*", key = "*کلید*, api key", account = "*اکاؤنٹ*", service = "*سروس*, *سروسز*",
    order = "*آرڈر*", link = "*لنک*", quantity = "*مقدار*, *تعداد*", cancel = "*منسوخ*, *کینسل*",
    negated = "*نہیں*, *نا*", lacking = "*ناکافی*, *کافی نہیں*, *کم ہے*",
    wrong = "*غلط*, *درست نہیں*, *ناجائز*", missing = "*نہیں ملا*, *نہیں ملی*, *موجود نہیں*",
    inactive = "*غیر فعال*, *بند*", banned = "*معطل*, *بلاک*", able = "*سکتا*, *سکتے*",
    limits = "*کم از کم*, *زیادہ سے زیادہ*", number_limits = "*کم از کم*, *زیادہ سے زیادہ*",
    maintenance = "*دیکھ بھال*",
  },
}
