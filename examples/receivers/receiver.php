<?php
// A receiver for PHP 8 and later: POSTERN_SECRET=whsec_… php -S 0.0.0.0:3000 receiver.php
function isGenuine(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $sentAt = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if ($id === '' || !ctype_digit($sentAt) || abs(time() - (int) $sentAt) > 300) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', getenv('POSTERN_SECRET')), true);
    if ($key === false) {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sentAt.$body", $key, true));
    // While a secret is replaced there are several signatures: one that fits is enough.
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $part) {
        if (hash_equals($expected, $part)) {
            return true;
        }
    }
    return false;
}

$body = file_get_contents('php://input'); // Verify the bytes as they came, before anything parses them.
if (!isGenuine($body)) {
    http_response_code(401);
    exit;
}
$event = json_decode($body, true);
// The same webhook-id again is the same delivery: remember it and skip the second one.
error_log($_SERVER['HTTP_WEBHOOK_ID'] . ' ' . $event['type']);
http_response_code(204);
