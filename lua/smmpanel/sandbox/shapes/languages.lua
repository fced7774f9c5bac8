--- Error texts and order states in other languages. Data for the shape `language`.
-- @module smmpanel.sandbox.shapes.languages

local languages = {}

-- English text (or its beginning, if a number follows) -> language -> text.
local TEXTS = {
  ["Invalid API key"] = { tr = "Geçersiz API anahtarı", es = "Clave API inválida", pt = "Chave de API inválida",
    ru = "Неверный API ключ", vi = "API key không hợp lệ", id = "API Key salah", ar = "مفتاح API غير صالح",
    fr = "Clé API invalide", de = "Ungültiger API-Schlüssel", zh = "API密钥无效", hi = "अमान्य API कुंजी" },
  ["Your account is inactive"] = { tr = "Hesabınız aktif değil", es = "Su cuenta está inactiva",
    pt = "Sua conta está inativa", ru = "Ваш аккаунт заблокирован", vi = "Tài khoản của bạn đã bị khóa",
    id = "Akun anda tidak aktif", ar = "تم تعطيل حسابك", fr = "Votre compte est inactif", de = "Ihr Konto ist gesperrt",
    zh = "账户已被禁用", hi = "आपका खाता निष्क्रिय है" },
  ["Incorrect order ID"] = { tr = "Hatalı sipariş numarası", es = "Pedido no encontrado", pt = "Pedido não encontrado",
    ru = "Заказ не найден", vi = "Không tìm thấy đơn hàng", id = "Pesanan tidak ditemukan", ar = "الطلب غير موجود",
    fr = "Commande introuvable", de = "Bestellung nicht gefunden", zh = "订单不存在", hi = "ऑर्डर नहीं मिला" },
  ["Incorrect service ID"] = { tr = "Hatalı servis numarası", es = "Servicio no encontrado",
    pt = "Serviço não encontrado", ru = "Услуга не найдена", vi = "Dịch vụ không tồn tại",
    id = "Layanan tidak ditemukan", ar = "الخدمة غير موجودة", fr = "Service introuvable", de = "Dienst nicht gefunden",
    zh = "服务不存在", hi = "अमान्य सेवा" },
  ["Incorrect request"] = { tr = "Hatalı istek", es = "Solicitud inválida", pt = "Requisição inválida",
    ru = "Неверный запрос", vi = "Yêu cầu không hợp lệ", id = "Permintaan salah", ar = "الإجراء غير صالح",
    fr = "Requête invalide", de = "Ungültige Anfrage", zh = "请求无效", hi = "अमान्य अनुरोध" },
  ["Not enough funds on balance"] = { tr = "Bakiyeniz yetersiz", es = "Saldo insuficiente", pt = "Saldo insuficiente",
    ru = "Недостаточно средств на балансе", vi = "Số dư không đủ", id = "Saldo tidak cukup", ar = "رصيدك غير كافي",
    fr = "Solde insuffisant", de = "Nicht genügend Guthaben", zh = "余额不足", hi = "अपर्याप्त शेष राशि" },
  ["Bad link"] = { tr = "Geçersiz link", es = "Enlace inválido", pt = "Link inválido", ru = "Неверная ссылка",
    vi = "Liên kết không hợp lệ", id = "Link tidak valid", ar = "رابط غير صحيح", fr = "Lien invalide",
    de = "Ungültiger Link", zh = "链接无效", hi = "अमान्य लिंक" },
  ["Quantity"] = { tr = "Geçersiz miktar", es = "Cantidad inválida", pt = "Quantidade inválida",
    ru = "Неверное количество", vi = "Số lượng không hợp lệ", id = "Jumlah tidak sesuai", ar = "الكمية غير صحيحة",
    fr = "Quantité invalide", de = "Ungültige Menge", zh = "数量无效", hi = "अमान्य मात्रा" },
  ["You have an active order"] = { tr = "Bu link için devam eden bir siparişiniz var",
    es = "Ya existe un pedido activo con este enlace", pt = "Já existe um pedido ativo para este link",
    ru = "У вас уже есть активный заказ на эту ссылку", vi = "Liên kết này đã có đơn hàng đang chạy",
    id = "Masih ada pesanan yang sedang diproses dengan target yang sama", ar = "لديك طلب نشط بنفس الرابط",
    fr = "Une commande est déjà en cours pour ce lien", de = "Für diesen Link läuft bereits eine Bestellung",
    zh = "该链接已有正在进行的订单", hi = "इस लिंक पर पहले से सक्रिय ऑर्डर है" },
  ["Refill not found"] = { tr = "Telafi bulunamadı", es = "Reposición no encontrada", pt = "Reposição não encontrada",
    ru = "Рефил не найден", vi = "Không tìm thấy bảo hành", id = "Refill tidak ditemukan", ar = "التعويض غير موجود",
    fr = "Recharge introuvable", de = "Nachfüllung nicht gefunden", zh = "补单不存在", hi = "रिफिल नहीं मिला" },
  ["Refill is disabled"] = { tr = "Bu servis için telafi kapalı", es = "Este servicio no admite reposición",
    pt = "Este serviço não permite reposição", ru = "Восстановление недоступно", vi = "Dịch vụ không hỗ trợ bảo hành",
    id = "Pesanan ini tidak dapat direfill", ar = "الخدمة لا تدعم التعويض", fr = "Recharge non disponible",
    de = "Nachfüllung nicht verfügbar", zh = "该服务不支持补单", hi = "रिफिल उपलब्ध नहीं" },
  ["Order is not eligible for cancellation"] = { tr = "Bu sipariş iptal edilemez",
    es = "No se puede cancelar este pedido", pt = "Este pedido não pode ser cancelado",
    ru = "Этот заказ нельзя отменить", vi = "Không thể hủy đơn hàng này", id = "Pesanan tidak dapat dibatalkan",
    ar = "لا يمكن إلغاء هذا الطلب", fr = "Cette commande ne peut pas être annulée",
    de = "Bestellung kann nicht storniert werden", zh = "订单无法取消", hi = "ऑर्डर रद्द नहीं किया जा सकता" },
}

TEXTS["Order can't be canceled"] = TEXTS["Order is not eligible for cancellation"]
for _, text in ipairs { "Order is not completed", "Refill days are over", "Refill was requested already",
  "Refill is not available", "Order is not eligible for refill" } do
  TEXTS[text] = TEXTS["Refill is disabled"]
end

local STATES = {
  ["Pending"] = { tr = "Beklemede", es = "Pendiente", pt = "Pendente", ru = "В ожидании", vi = "Chờ xử lý",
    id = "Menunggu", ar = "قيد الانتظار", fr = "En attente", de = "Ausstehend", zh = "待处理", hi = "लंबित" },
  ["Processing"] = { tr = "İşleniyor", es = "Procesando", pt = "Processando", ru = "В обработке", vi = "Đang xử lý",
    id = "Diproses", ar = "قيد المعالجة", fr = "En traitement", de = "In Bearbeitung", zh = "处理中",
    hi = "प्रक्रिया में" },
  ["In progress"] = { tr = "Devam ediyor", es = "En progreso", pt = "Em andamento", ru = "Выполняется",
    vi = "Đang chạy", id = "Sedang diproses", ar = "قيد التنفيذ", fr = "En cours", de = "In Arbeit",
    zh = "进行中", hi = "प्रगति में" },
  ["Completed"] = { tr = "Tamamlandı", es = "Completado", pt = "Concluído", ru = "Выполнен", vi = "Hoàn thành",
    id = "Selesai", ar = "مكتمل", fr = "Terminé", de = "Abgeschlossen", zh = "已完成", hi = "पूर्ण" },
  ["Partial"] = { tr = "Kısmi", es = "Parcial", pt = "Parcial", ru = "Частично", vi = "Một phần", id = "Sebagian",
    ar = "جزئي", fr = "Partiel", de = "Teilweise", zh = "部分", hi = "आंशिक" },
  ["Canceled"] = { tr = "İptal edildi", es = "Cancelado", pt = "Cancelado", ru = "Отменен", vi = "Đã hủy",
    id = "Dibatalkan", ar = "ملغي", fr = "Annulé", de = "Storniert", zh = "已取消", hi = "रद्द" },
}

-- Replaces a text that has no translation: a refusal without a reason.
local OTHER = { tr = "İşlem başarısız", es = "Operación fallida", pt = "Operação falhou", ru = "Операция не выполнена",
  vi = "Thao tác thất bại", id = "Proses gagal", ar = "فشلت العملية", fr = "Échec", de = "Vorgang fehlgeschlagen",
  zh = "操作失败", hi = "विफल" }

--- The names of the languages, for the help.
languages.NAMES = "tr, es, pt, ru, vi, id, ar, fr, de, zh, hi"

--- Returns whether a language exists.
---@param name string
---@return boolean
function languages.knows(name)
  return OTHER[name] ~= nil
end

--- Returns an error text in a language.
---@param text string
---@param name string
---@return string
function languages.error(text, name)
  if TEXTS[text] then return TEXTS[text][name] end
  for beginning, texts in pairs(TEXTS) do
    if text:sub(1, #beginning) == beginning then return texts[name] end
  end
  return OTHER[name]
end

--- Returns a state in a language. A state without a translation is returned unchanged.
---@param state string
---@param name string
---@return string
function languages.state(state, name)
  return STATES[state] and STATES[state][name] or state
end

return languages
