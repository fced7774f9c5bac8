--- Classifies the states of orders and refills: the words of panels by class and language, and their reading. Pure.
--
-- Accents, case, punctuation and emoji are ignored. Each word of a state must be known: a sentence about a state is not
-- a state, and an unknown text is `unknown`, never open or completed.
-- @module smmpanel.api.states

local states = {}

local normalise = require "smmpanel.util.normalise"
local text = require "smmpanel.util.text"

-- Words and phrases, separated by commas.
local WORDS = {
  open = {
    ur = "زیر التوا, زیر عمل, جاری ہے, جاری, زیر التواء, پراسیسنگ",
    bn = "অপেক্ষমান, প্রক্রিয়াধীন, চলমান, প্রক্রিয়াকরণ, মুলতুবি, পেন্ডিং, চলছে",
    uz = "kutilmoqda, jarayonda, bajarilmoqda, ishlanmoqda, kutish, faol",
    az = "gözləyir, gözləmədə, icra olunur, icrada, işlənir, davam edir, aktiv",
    en = "pending, processing, process, in process, in progress, inprogress, progress, in progess, inprogess, "
      .. "active, awaiting, queued, in queue, inqueue, queue, paused, pause, refill, refilling, holding, hold, "
      .. "on hold, onhold, waiting, waiting for refund, waitingforrefund, creating, created, running, started, "
      .. "starting, in review, held for review, approved, accepted, new, received, scheduled, delivering, "
      .. "in delivery, sending, working, ongoing, submitted, confirmed, under review, reviewing, pending payment, "
      .. "awaiting confirmation, awaiting payment, partially refilling, canceling, cancelling, preparing, "
      .. "requested, in work, waiting for cancel, pending cancel, not started, 0, 1",
    tr = "durduruldu, durdurulmuş, beklemede, bekliyor, bekleyen, işleniyor, işlemde, işleme alındı, yükleniyor, "
      .. "devam ediyor, devam eden, sırada, hazırlanıyor, gönderiliyor, onay bekliyor, onaylandı, aktif, başladı, "
      .. "çalışıyor, duraklatıldı, askıda, yapılıyor, sipariş alındı, iptal bekliyor, telafi, telafi ediliyor, "
      .. "gönderim sırasında, kuyrukta, yürütülüyor, başlatıldı, alındı, inceleniyor",
    pt = "pendente, processando, em processamento, em andamento, em progresso, em execução, aguardando, na fila, "
      .. "em fila, ativo, ativa, iniciado, iniciando, em espera, pausado, enviando, durante o envio, carregando, "
      .. "em análise, recebido, agendado, em processo, executando, refil em andamento, aprovado",
    es = "pendiente, procesando, en proceso, en progreso, en curso, en espera, en cola, activo, activa, "
      .. "esperando, iniciado, iniciando, pausado, enviando, en ejecución, ejecutando, recibido, programado, "
      .. "en revisión, en procesamiento, aprobado",
    fr = "en attente, en cours, en cours de traitement, en traitement, traitement, traitement en cours, "
      .. "en cours d'exécution, en file d'attente, actif, active, démarré, commencé, en pause, programmé, reçu, "
      .. "en progression, en préparation, approuvé",
    it = "in attesa, in corso, in elaborazione, elaborazione, in lavorazione, in coda, attivo, avviato, in pausa, "
      .. "in esecuzione, sospeso",
    de = "ausstehend, in bearbeitung, wird bearbeitet, in arbeit, bearbeitung, laufend, läuft, aktiv, wartend, "
      .. "in warteschlange, gestartet, pausiert, offen, in der warteschlange, in verarbeitung, verarbeitung, "
      .. "wird verarbeitet, wartet, angehalten, genehmigt",
    nl = "in behandeling, in uitvoering, bezig, in afwachting, wachtend, actief, verwerken, wordt verwerkt",
    ru = "в ожидании, ожидание, ожидает, в обработке, обрабатывается, обработка, выполняется, в процессе, "
      .. "в работе, в очереди, запущен, запускается, активен, активный, активно, на паузе, пауза, приостановлен, "
      .. "новый, создан, создается, принят, ожидается, в процессе выполнения, работает, на проверке, одобрено, "
      .. "в прогрессе, исполняется",
    uk = "в очікуванні, очікування, очікує, в обробці, обробляється, обробка, виконується, в процесі, в роботі, "
      .. "в черзі, активний, новий",
    pl = "oczekujące, oczekuje, w trakcie, w toku, w realizacji, przetwarzanie, w kolejce, aktywne, "
      .. "w trakcie realizacji, oczekujący",
    ro = "în așteptare, în curs, în procesare, se procesează, activ, în progres",
    vi = "đang chờ, chờ xử lý, đang xử lý, đang chạy, đang thực hiện, đang tiến hành, chưa giải quyết, chờ, "
      .. "đang hoạt động, đang đợi, đang tạm dừng, tạm dừng, hoạt động, trong hàng đợi, chờ duyệt, đang bảo hành, "
      .. "bảo hành, đang tăng, đã lên lịch, chưa chạy, đang lên, đang gửi, đã duyệt, chờ hủy, chờ hoàn tiền, "
      .. "đang hủy, mới, đang triển khai, tiến hành, chờ xác nhận",
    id = "menunggu, diproses, sedang diproses, proses, dalam proses, sedang berjalan, berjalan, tertunda, "
      .. "pending, antrian, dalam antrian, aktif, dijadwalkan, sedang dikerjakan, dikerjakan, "
      .. "menunggu konfirmasi, menunggu proses, ditunda, sedang dalam proses",
    ms = "dalam proses, menunggu, sedang diproses",
    ar = "قيد الانتظار, قيد التنفيذ, قيد المعالجة, جاري المعالجة, جاري التنفيذ, جاري, معلق, معلقة, نشط, "
      .. "في الانتظار, انتظار, قيد التقدم, في قائمة الانتظار, جاري العمل, بالانتظار, في تقدم, قيد العمل, "
      .. "المعالجة, قيد المراجعة, تحت التنفيذ, معالجة, في التقدم, جارٍ التنفيذ, جار التنفيذ, جار المعالجة, "
      .. "جاري الإلغاء, متوقف مؤقتا",
    fa = "در حال انجام, در انتظار, در حال پردازش, در صف, در حال بررسی, فعال, در دست اقدام, درحال انجام, "
      .. "درحال پردازش, منتظر, پردازش, معلق",
    zh = "待处理, 处理中, 进行中, 等待中, 等待, 排队中, 待定, 执行中, 正在处理, 活动, 已暂停, 暂停, 正在进行, 未开始, 待审核, 活跃, 运行中, 补单中, 等待处理, 挂起, 加工",
    ja = "保留中, 処理中, 進行中, 待機中, 実行中, 準備中, 保留, アクティブ, 処理待ち, 一時停止, 有効",
    ko = "대기 중, 대기중, 처리 중, 처리중, 진행 중, 진행중, 보류 중, 보류중, 대기, 활성, 실행 중, 준비 중, 준비중, 작업 중, 작업중, 접수, 진행",
    th = "รอดำเนินการ, กำลังดำเนินการ, อยู่ระหว่างดำเนินการ, กำลังประมวลผล, รอ, รอคิว, กำลังทำงาน, อยู่ในคิว, "
      .. "ดำเนินการ, กำลังรอ",
    hi = "लंबित, प्रक्रिया में, प्रगति में, प्रसंस्करण, जारी, सक्रिय, प्रतीक्षा में, चल रहा है, "
      .. "संसाधित हो रहा है, प्रतीक्षारत, प्रोसेसिंग",
  },
  completed = {
    ur = "مکمل, مکمل ہو گیا, کامیاب",
    bn = "সম্পন্ন, সম্পূর্ণ, সফল, শেষ",
    uz = "bajarildi, yakunlandi, tugatildi, yakunlangan, bajarilgan, muvaffaqiyatli",
    az = "tamamlandı, tamamlanıb, başa çatdı, uğurlu",
    en = "completed, complete, success, successful, succeeded, finished, done, fulfilled, delivered, refilled, "
      .. "completed successfully, successfully completed, 2",
    tr = "tamamlandı, tamamlanmış, tamamlanan, başarılı, bitti, teslim edildi, tamam, sonuçlandı, gönderildi, "
      .. "başarıyla tamamlandı, telafi edildi",
    pt = "concluído, concluída, completo, completa, completado, finalizado, finalizada, sucesso, entregue, feito, "
      .. "terminado",
    es = "completado, completada, completo, completa, finalizado, finalizada, terminado, éxito, entregado, "
      .. "exitoso, hecho, realizado",
    fr = "terminé, terminée, complété, complétée, complet, complète, achevé, succès, livré, réussi, fini, effectué",
    it = "completato, completata, completo, finito, terminato, successo, consegnato, fatto, concluso",
    de = "abgeschlossen, vollendet, fertig, erledigt, vollständig, erfolgreich, fertiggestellt, komplett, "
      .. "beendet, erfolg",
    nl = "voltooid, afgerond, klaar, compleet, gereed, geslaagd",
    ru = "выполнен, выполнено, выполнена, выполненный, завершен, завершено, завершена, завершенный, готово, "
      .. "готов, успешно, закончен, исполнен, исполнено, успех, полностью выполнен, доставлено",
    uk = "виконано, виконаний, виконане, завершено, завершений, готово, успішно",
    pl = "zakończone, zakończony, ukończone, zrealizowane, wykonane, gotowe, ukończony, kompletne, sukces",
    ro = "finalizat, finalizată, completat, complet, terminat, încheiat, reușit",
    vi = "hoàn thành, hoàn tất, đã hoàn thành, đã hoàn tất, thành công, xong, đã xong, đã chạy xong, đã bảo hành",
    id = "selesai, sukses, berhasil, success, komplit, tuntas, telah selesai, sudah selesai",
    ms = "selesai, siap, berjaya",
    ar = "مكتمل, مكتملة, اكتمل, مكتمله, تم, تم التنفيذ, منتهي, ناجح, تم بنجاح, منجز, تم الاكتمال, تم الانتهاء, "
      .. "نجاح, تمت, مكتملا, تم الإكمال",
    fa = "تکمیل شده, تکمیل, انجام شده, کامل شده, تمام شده, موفق, انجام شد, تکمیل شد, کامل, به پایان رسیده, "
      .. "پایان یافته",
    zh = "已完成, 完成, 成功, 完毕, 完成了, 结束, 已结束",
    ja = "完了, 完了しました, 完成, 成功, 完了済み, 終了",
    ko = "완료, 완료됨, 완료 됨, 성공, 작업 완료, 작업완료, 완료되었습니다, 주문 완료, 완성",
    th = "เสร็จสิ้น, สำเร็จ, เสร็จสมบูรณ์, เสร็จแล้ว, เรียบร้อย, สมบูรณ์",
    hi = "पूर्ण, पूरा, पूरा हुआ, सफल, संपन्न, समाप्त, पूरा किया, पूर्ण हुआ, पूरा हो गया",
  },
  partial = {
    ur = "جزوی, جزوی طور پر مکمل",
    bn = "আংশিক, আংশিক সম্পন্ন",
    uz = "qisman, qisman bajarildi",
    az = "qismən, qismən tamamlandı",
    en = "partial, partially, partially completed, partial complete, partial completed, partial refund, "
      .. "partially refunded, partial refunded, partially delivered, partially canceled, partially complete, "
      .. "partial delivery, partials, 3",
    tr = "kısmi, kısmen, kısmen tamamlandı, kısmi tamamlandı, kısmi iade, parçalı, eksik tamamlandı, "
      .. "kısmi olarak tamamlandı, yarım, yarım kaldı, kısmi teslimat, kısmi iade edildi, kısmen iade edildi",
    pt = "parcial, parcialmente, parcialmente completo, parcialmente concluído, reembolsado parcial, "
      .. "reembolso parcial, parcialmente reembolsado, envio parcial, concluído parcialmente, "
      .. "parcialmente entregue",
    es = "parcial, parcialmente, parcialmente completado, envío parcial, reembolso parcial, "
      .. "reembolsado parcialmente, completado parcialmente, parcialmente reembolsado, entrega parcial",
    fr = "partiel, partielle, partiellement, partiellement terminé, partiellement complété, "
      .. "partiellement remboursé, remboursement partiel",
    it = "parziale, parzialmente, parzialmente completato, parzialmente rimborsato",
    de = "teilweise, teilweise abgeschlossen, teilweise erstattet, partiell, teil, teillieferung, "
      .. "teilweise ausgeführt",
    nl = "gedeeltelijk, gedeeltelijk voltooid, deels",
    ru = "частично, частично выполнен, частично выполнено, частичный, частичное, частично завершен, "
      .. "частично завершено, частичное выполнение, частичный возврат, частичная",
    uk = "частково, частково виконано, частковий",
    pl = "częściowe, częściowo, częściowy, częściowo zrealizowane, częściowo ukończone",
    ro = "parțial, parțial finalizat",
    vi = "một phần, hoàn thành một phần, hoàn một phần, hoàn tiền một phần, chạy thiếu, hoàn tất một phần, "
      .. "hủy một phần, đã hoàn một phần, đã hoàn tiền một phần",
    id = "sebagian, parsial, selesai sebagian, sebagian selesai, refund sebagian, dikembalikan sebagian",
    ar = "جزئي, جزئية, مكتمل جزئيا, جزئيا, مكتملة جزئيا, اكتمل جزئيا, مكتمل جزئي, تم جزئيا, استرداد جزئي",
    fa = "ناقص, جزئی, تکمیل ناقص, نیمه کاره, نسبی, نیمه تمام, ناتمام",
    zh = "部分, 部分完成, 已部分完成, 部分退款, 部分的",
    ja = "部分的, 一部, 一部完了, 部分, 部分完了, 部分的に完了",
    ko = "부분, 부분 완료, 부분완료, 일부, 부분적, 일부 완료, 부분 환불, 부분환불, 부분 취소",
    th = "บางส่วน, สำเร็จบางส่วน, เสร็จบางส่วน, เสร็จสิ้นบางส่วน",
    hi = "आंशिक, आंशिक रूप से पूर्ण, आंशिक रूप से, आंशिक पूर्ण",
  },
  canceled = {
    ur = "منسوخ, منسوخ شدہ, واپس",
    bn = "বাতিল, বাতিল করা হয়েছে, ফেরত",
    uz = "bekor qilindi, bekor qilingan, bekor, qaytarildi",
    az = "ləğv edildi, ləğv edilib, ləğv, qaytarıldı, geri qaytarıldı",
    en = "canceled, cancelled, cancel, cancelled and refunded, canceled and refunded, refunded, refunds, refund, "
      .. "cancellation, fully refunded, voided, reversed, 4, 5",
    tr = "iptal, iptal edildi, iptal edilmiş, iade, iade edildi, iptal iade, iptal ve iade, iptal edilen, "
      .. "geri ödendi, iptal ve iade edildi, ücret iade edildi, para iadesi, iptal oldu, para iade edildi",
    pt = "cancelado, cancelada, reembolsado, reembolsada, reembolso, estornado, cancelado e reembolsado, "
      .. "devolvido, estorno",
    es = "cancelado, cancelada, reembolsado, reembolsada, reembolso, anulado, devuelto, cancelado y reembolsado, "
      .. "reintegrado",
    fr = "annulé, annulée, remboursé, remboursée, remboursement, annulé et remboursé, annulation",
    it = "annullato, annullata, cancellato, rimborsato, rimborsata, rimborso",
    de = "storniert, abgebrochen, erstattet, rückerstattet, annulliert, zurückerstattet, gutgeschrieben, "
      .. "rückerstattung, gekündigt",
    nl = "geannuleerd, terugbetaald, geretourneerd",
    ru = "отменен, отменено, отменена, отмена, отмененный, возврат, возвращен, возвращено, средства возвращены, "
      .. "возврат средств, деньги возвращены, возмещено, отменен и возвращен, аннулирован",
    uk = "скасовано, скасований, відмінено, повернено, повернення, кошти повернено, повернуто, скасоване",
    pl = "anulowane, anulowany, anulowano, zwrócone, zwrot, zwrócono, odwołane",
    ro = "anulat, anulată, rambursat, returnat",
    vi = "hủy, huỷ, đã hủy, đã huỷ, hoàn tiền, đã hoàn tiền, bị hủy, hủy đơn, hủy và hoàn tiền, "
      .. "đã hủy và hoàn tiền, hủy hoàn tiền, đã bị hủy, hoàn trả, đã hoàn trả, hủy bỏ, hoàn toàn bộ",
    id = "dibatalkan, batal, dikembalikan, pengembalian dana, refund, pembatalan, telah dibatalkan, "
      .. "dana dikembalikan",
    ms = "dibatalkan, dipulangkan",
    ar = "ملغي, ملغى, ملغية, ملغاة, تم الإلغاء, ألغيت, إلغاء, مسترد, تم الاسترداد, مستردة, استرداد, تم إلغاؤه, "
      .. "تم رد الأموال, تم استرداد, تم إرجاع المبلغ, مسترجع, تم استرجاع المبلغ, معاد, تم الارجاع",
    fa = "لغو شده, لغو شد, لغو, کنسل شده, برگشت داده شده, بازپرداخت, کنسل, بازگشت وجه, مسترد شده, عودت داده شده, "
      .. "لغو گردید",
    zh = "已取消, 取消, 已退款, 退款, 取消了, 退单, 已退单, 已撤销, 已退回",
    ja = "キャンセル, キャンセル済み, 返金済み, 返金, キャンセルされました, 取り消し, 取消, 払い戻し",
    ko = "취소, 취소됨, 취소 됨, 취소된, 취소 된, 환불, 환불됨, 환불 됨, 취소되었습니다, 취소완료, 환불완료, 환불 완료, 취소 완료, 주문 취소",
    th = "ยกเลิก, ยกเลิกแล้ว, คืนเงิน, คืนเงินแล้ว, ถูกยกเลิก",
    hi = "रद्द, रद्द किया गया, रद्द कर दिया गया, वापसी, वापस किया गया, धनवापसी, रिफंड, रद्द हुआ",
  },
  failed = {
    ur = "ناکام, خرابی",
    bn = "ব্যর্থ, ত্রুটি",
    uz = "xato, xatolik, muvaffaqiyatsiz",
    az = "uğursuz, xəta",
    en = "fail, failed, failure, error, errors, expired, limit, rejected, declined, denied, unsuccessful, "
      .. "refused, errored, reject",
    tr = "hata, hatalı, başarısız, reddedildi, süresi doldu, hata oluştu, ret, red, reddedilmiş, hatası",
    pt = "falha, falhou, erro, expirado, rejeitado, recusado, negado, malsucedido",
    es = "fallo, fallido, fallida, falló, error, rechazado, expirado, denegado, fracasado, caducado",
    fr = "échec, échoué, échouée, erreur, rejeté, refusé, expiré",
    it = "fallito, errore, rifiutato, scaduto, fallita, non riuscito, respinto",
    de = "fehler, fehlgeschlagen, abgelehnt, abgelaufen, gescheitert",
    nl = "mislukt, fout, afgewezen, verlopen, geweigerd",
    ru = "ошибка, неудача, отклонен, отклонено, отклонена, сбой, не удалось, провалено, истек, истекло, отказ, "
      .. "отказано, неудачно, с ошибкой",
    uk = "помилка, відхилено, невдало, невдача, прострочено",
    pl = "błąd, niepowodzenie, odrzucone, odrzucony, nieudane, wygasłe",
    ro = "eroare, eșuat, respins, expirat",
    vi = "lỗi, thất bại, từ chối, bị từ chối, hết hạn, đã từ chối, bị lỗi, không thành công",
    id = "gagal, error, ditolak, kedaluwarsa, kadaluarsa",
    ms = "gagal, ditolak",
    ar = "فشل, فاشل, خطأ, مرفوض, مرفوضة, منتهي الصلاحية, فاشلة, تم الرفض",
    fa = "خطا, ناموفق, رد شده, منقضی شده, شکست خورده, شکست",
    zh = "失败, 错误, 已拒绝, 拒绝, 已过期, 出错, 被拒绝",
    ja = "失敗, エラー, 拒否, 期限切れ, 却下, 失敗しました",
    ko = "실패, 오류, 거부, 거부됨, 만료, 에러, 만료됨, 거절",
    th = "ล้มเหลว, ผิดพลาด, ข้อผิดพลาด, ปฏิเสธ, หมดอายุ, ไม่สำเร็จ",
    hi = "असफल, विफल, त्रुटि, अस्वीकृत, अस्वीकार",
  },
}

-- Words without a meaning of their own.
local FILLERS = "order, orders, status, tasks, sipariş, pedido, заказ, đơn, hàng, pesanan, valor, encargo"

local class_of = {} -- a state without spaces -> class
local filler = {}

local function squeezed(s) return (s:gsub(" ", "")) end

local function add(class, list)
  local normal = squeezed(normalise((list:gsub(",", "\1"))))
  for phrase in normal:gmatch("[^\1]+") do class_of[phrase] = class end
end

for class, languages in pairs(WORDS) do add(class, languages.en) end

-- The languages with another script than Latin. A text that is ASCII after normalising is in none of them.
local OTHER_SCRIPTS = { ur = true, bn = true, ru = true, uk = true, ar = true, fa = true, zh = true, ja = true,
  ko = true, th = true, hi = true }

local read = { latin = false, other = false } -- whether those languages were added

local function add_languages(script)
  if read[script] then return end
  read[script] = true
  for class, languages in pairs(WORDS) do
    for language, list in pairs(languages) do
      local is_of = OTHER_SCRIPTS[language] and "other" or "latin"
      if language ~= "en" and is_of == script then add(class, list) end
    end
  end
end

-- Adds the other languages at the first state that is not English; most panels are in English.
local function add_languages_of(normal)
  if not read.latin then
    for word in FILLERS:gmatch("[^,]+") do filler[normalise(word)] = true end
  end
  add_languages "latin"
  if normal:find "[\128-\255]" then add_languages "other" end
end

local JOINING = { ["and"] = true, ve = true, e = true, y = true, et = true, und = true, dan = true }

-- Combines several states in one text. Any of them with partial is partial, unless one is open. Failed and refunded is
-- canceled. All other combinations are unknown: nil.
local function combined(classes)
  local count, only = 0, nil
  for class in pairs(classes) do count, only = count + 1, class end
  if count <= 1 then return only end
  if classes.partial and not classes.open then return "partial" end
  return count == 2 and classes.failed and classes.canceled and "canceled" or nil
end

-- Returns the class of a text with several words. Each must belong to a state; the longest phrases are tried first.
local function of_words(normal)
  local list, classes = {}, {}
  for word in normal:gmatch("[^ ]+") do list[#list + 1] = word end
  local from = 1
  while from <= #list do
    local to = #list
    local class = class_of[table.concat(list, "", from, to)]
    while not class and to > from do
      to = to - 1
      class = class_of[table.concat(list, "", from, to)]
    end
    if class then
      classes[class] = true
    elseif not (filler[" " .. list[from] .. " "] or JOINING[list[from]]) then
      return nil
    end
    from = to + 1
  end
  return combined(classes)
end

local LONGEST = 60 -- bytes: a state is a few words

--- Returns the class of an order's or a refill's state. An unknown text is `unknown`, never open or completed.
-- Classifies the `status` field of `status` and `refill_status`.
---@param status string|integer|nil the record's field; some panels send numbers, 0 to 5
---@return "open"|"completed"|"partial"|"canceled"|"failed"|"unknown"
function states.state(status)
  local kind = type(status)
  if kind == "number" then
    return status % 1 == 0 and class_of[("%.0f"):format(status)] or "unknown"
  end
  if kind ~= "string" or #status > 2 * LONGEST then return "unknown" end
  local plain = class_of[text.squeeze(status)] -- the fast path, for nearly all states
  if plain then return plain end
  local normal = normalise(status)
  add_languages_of(normal)
  return class_of[squeezed(normal)] or of_words(normal) or "unknown"
end

--- Returns whether a state is final: completed, partial, canceled or failed. Unknown is not final.
---@param status string|integer|nil as in the record
---@return boolean
function states.is_final(status)
  return states.is_final_class(states.state(status))
end

--- Returns whether a class is final.
---@param class string
---@return boolean
function states.is_final_class(class)
  return class ~= "open" and class ~= "unknown"
end

return states
