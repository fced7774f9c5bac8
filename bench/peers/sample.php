<?php
// PHP: the class in the documentation of panels, with a connection for each call.
class Api
{
    public $api_url;
    public $api_key;

    private function connect($post)
    {
        $ch = curl_init($this->api_url);
        curl_setopt($ch, CURLOPT_POST, 1);
        curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
        curl_setopt($ch, CURLOPT_POSTFIELDS, http_build_query($post));
        if (getenv('PANEL_CA')) curl_setopt($ch, CURLOPT_CAINFO, getenv('PANEL_CA'));
        $result = curl_exec($ch);
        curl_close($ch);
        return $result;
    }

    public function call($fields)
    {
        return json_decode($this->connect(['key' => $this->api_key] + $fields), true);
    }
}

$api = new Api();
$api->api_url = getenv('PANEL_URL');
$api->api_key = getenv('PANEL_KEY');
$count = (int) getenv('COUNT');

switch ($argv[1]) {
    case 'catalogue':
        echo 'services ', count($api->call(['action' => 'services'])), "\n";
        break;
    case 'statuses':
        $first = (int) getenv('FIRST');
        $records = [];
        $began = microtime(true);
        foreach (array_chunk(range($first, $first + $count - 1), 100) as $ids) {
            $records += $api->call(['action' => 'status', 'orders' => implode(',', $ids)]);
        }
        echo 'seconds ', microtime(true) - $began, "\n";
        for ($i = $first; $i < $first + $count; $i++) isset($records[$i]['charge']) or exit(1);
        break;
    case 'balance':
        $api->call(['action' => 'balance']);
        $began = microtime(true);
        for ($i = 0; $i < $count; $i++) isset($api->call(['action' => 'balance'])['balance']) or exit(1);
        echo 'seconds ', microtime(true) - $began, "\n";
        break;
}
