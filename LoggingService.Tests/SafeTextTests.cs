using SafeText = LoggingService.Tests.Support.SafeTextOf;

namespace LoggingService.Tests;

public class SafeTextTests
{
    [Theory]
    [InlineData("hello, world! {0} %s ${x} <b> \"q\" \\")]
    [InlineData("Älva, ñandú, Škoda")]
    [InlineData("日本語とعربيةとעברית")]
    [InlineData("👩‍👩‍👧‍👦 🏳️‍🌈 🏴‍☠️ ❤️‍🔥 ❤️ 1️⃣ #️⃣ ©️ 👍🏽 👩🏽‍🚀 🇸🇪 ⛹🏽‍♀️ ☀︎")]
    [InlineData("🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F")]
    [InlineData("می\u200Cخواهم")]
    [InlineData("ක්\u200Dෂ ന്\u200D क्\u200Cष")]
    [InlineData("葛\U000E0100 㐂\uFE00 ≨\uFE00 က\uFE00 \U00013091\uFE01")]
    [InlineData("ᠠ\u180B ᠠ\u180C ᠠ\u180D ᠠ\u180F ᠨ\u180Eᠠ a\u0302\u034F\u0301")]
    [InlineData("\u115F\u1161 \u1100\u1160 \uA960\u1160 \u115F\uD7B0")]
    [InlineData("ភាសា\u200Bខ្មែរ မြန်မာ\u200Bစာ ภาษา\u200Bไทย ພາສາ\u200Bລາວ")]
    [InlineData("\u0600١٢٣")]
    public void Text_emoji_and_scripts_are_kept(string text) => Assert.Equal(text, SafeText.Escape(text));

    [Theory]
    [InlineData("a\nb", "a␊b")]
    [InlineData("a\r\nb", "a␊b")]
    [InlineData("a\rb", "a␍b")]
    [InlineData("\tx\0\a\u001b[31m\u007f", "␉x␀␇␛[31m␡")]
    [InlineData("\u0085\u009b", "\\u{85}\\u{9B}")]
    [InlineData("\u2028\u2029", "\\u{2028}\\u{2029}")]
    public void A_control_character_is_escaped_as_its_control_picture(string text, string safe) =>
        Assert.Equal(safe, SafeText.Escape(text));

    [Theory]
    [InlineData("קוד \u200FC++\u200F טוב", "קוד \u200FC++\u200F טוב")]
    [InlineData("a\u200E\u200Eb \u200F\u202Ec", "a\\u{200E}\\u{200E}b \\u{200F}\\u{202E}c")]
    [InlineData("\u200Fטוב\u200E", "\\u{200F}טוב\\u{200E}")]
    public void A_mark_of_direction_stays_between_visible_characters(string text, string safe)
    {
        Assert.Equal(safe, SafeText.Escape(text));
        Assert.Equal($"\"{safe}\"", SafeText.Quoted(text));
    }

    [Theory]
    [InlineData("\u202Eright to left", "\\u{202E}right to left")]
    [InlineData(
        "\u200E\u200F\u061C\u2066\u2067\u2068\u2069\u202A\u202B\u202C\u202D",
        "\\u{200E}\\u{200F}\\u{61C}\\u{2066}\\u{2067}\\u{2068}\\u{2069}\\u{202A}\\u{202B}\\u{202C}\\u{202D}")]
    [InlineData("zero\u200Bwidth\uFEFF\u2060\u00AD", "zero\\u{200B}width\\u{FEFF}\\u{2060}\\u{AD}")]
    [InlineData("\u3164\uFFA0\u115Fx", "\\u{3164}\\u{FFA0}\\u{115F}x")]
    [InlineData("\uFFFE", "\\u{FFFE}")]
    public void Invisible_and_reordering_characters_are_escaped(string text, string safe) => Assert.Equal(safe, SafeText.Escape(text));

    [Theory]
    [InlineData("a\u200Db\u200Cc", "a\\u{200D}b\\u{200C}c")]
    [InlineData("\u200D👩", "\\u{200D}👩")]
    [InlineData("👩\u200D", "👩\\u{200D}")]
    [InlineData("👩\u200D\u200D👩", "👩\\u{200D}\\u{200D}👩")]
    [InlineData("می\u200C\u200Cخ", "می\u200C\\u{200C}خ")]
    [InlineData("a\uFE0F", "a\\u{FE0F}")]
    [InlineData("1\uFE0F #\uFE0E *\uFE0Fx", "1\\u{FE0F} #\\u{FE0E} *\\u{FE0F}x")]
    [InlineData("é\uFE00 日\uFE07 日\uFE0D ж\uFE00 →\uFE01 0\uFE00", "é\\u{FE00} 日\\u{FE07} 日\\u{FE0D} ж\\u{FE00} →\\u{FE01} 0\\u{FE00}")]
    [InlineData("日\uFE00\uFE01", "日\uFE00\\u{FE01}")]
    [InlineData("א\U000E0101 あ\U000E01EF", "א\\u{E0101} あ\\u{E01EF}")]
    [InlineData("a\u115F\u1160\u1160\u1160b", "a\\u{115F}\\u{1160}\\u{1160}\\u{1160}b")]
    [InlineData(
        "\u1100\u1160\u1160 \u115F\u115F\u1161 \u1161\u1160 \u115F\u11A8",
        "\u1100\u1160\\u{1160} \\u{115F}\u115F\u1161 \u1161\\u{1160} \\u{115F}\u11A8")]
    [InlineData("a\u034F \u034F", "a\\u{34F} \\u{34F}")]
    [InlineData("a\u180B日\u180C1\u180D \u180F", "a\\u{180B}日\\u{180C}1\\u{180D} \\u{180F}")]
    [InlineData("ᠠ\u180B\u180B ᠠ\u180E \u180Eᠠ", "ᠠ\u180B\\u{180B} ᠠ\\u{180E} \\u{180E}ᠠ")]
    [InlineData("ไทย\u200B\u200Bไทย ไทย\u200Ba a\u200Bไทย ไทย\u200B", "ไทย\\u{200B}\\u{200B}ไทย ไทย\\u{200B}a a\\u{200B}ไทย ไทย\\u{200B}")]
    [InlineData("😀\uFE0F\uFE0E", "😀\uFE0F\\u{FE0E}")]
    [InlineData("😀\U000E0101", "😀\\u{E0101}")]
    [InlineData("a\U000E0068\U000E0069", "a\\u{E0068}\\u{E0069}")]
    [InlineData("🏴\U000E0067\U000E0062", "🏴\\u{E0067}\\u{E0062}")]
    public void Joiners_selectors_and_tags_without_a_base_are_escaped(string text, string safe) =>
        Assert.Equal(safe, SafeText.Escape(text));

    [Fact]
    public void An_unpaired_surrogate_is_escaped()
    {
        Assert.Equal("a\\u{D800}b", SafeText.Escape("a\uD800b"));
        Assert.Equal("\\u{DC00}\\u{D83D}", SafeText.Escape("\uDC00\uD83D"));
        Assert.Equal("@a\\u{D800}:x", SafeText.UserId("@a\uD800:x"));
        Assert.Equal("👩\\u{200D}\\u{D83D}", SafeText.Escape("👩\u200D\uD83D"));
    }

    [Fact]
    public void Quoted_text_cannot_end_its_quotes() =>
        Assert.Equal("\"a \\\"b\\\" \\\\ ␊ \\u{202E} \\\\u{202E}\"", SafeText.Quoted("a \"b\" \\ \n \u202E \\u{202E}"));

    [Theory]
    [InlineData("@alice:example.org", "@alice:example.org")]
    [InlineData("@a b<c>d,e\"f:x", "@a%20b%3Cc%3Ed%2Ce%22f:x")]
    [InlineData("@a\u00A0b\u3000c\u2800:x", "@a%C2%A0b%E3%80%80c%E2%A0%80:x")]
    [InlineData("@a\nb\u2028c\u202E:x", "@a␊b\\u{2028}c\\u{202E}:x")]
    [InlineData("@a%20b:x", "@a%2520b:x")]
    [InlineData("@a\\u{202E}:x", "@a%5Cu{202E}:x")]
    [InlineData("@a\u115Fb:x", "@a\\u{115F}b:x")]
    [InlineData("@alice1\uFE0F:x", "@alice1\\u{FE0F}:x")]
    [InlineData(
        "@👩\u200D👩🏴\U000E0067\U000E0062\U000E0073\U000E007F日\uFE00:x", "@👩\\u{200D}👩🏴\\u{E0067}\\u{E0062}\\u{E0073}\\u{E007F}日\\u{FE00}:x")]
    [InlineData("@a-b:x-", "@a-b:x%2D")]
    [InlineData("", "?")]
    [InlineData(null, "?")]
    public void A_user_id_is_one_token(string? id, string word) => Assert.Equal(word, SafeText.UserId(id));

    [Theory]
    [InlineData("Screenshot.from-Monday(1).png", "Screenshot.from-Monday(1).png")]
    [InlineData("Screenshot from Monday.png", "\"Screenshot from Monday.png\"")]
    [InlineData("640×480", "\"640×480\"")]
    [InlineData("mxc://x/a.b", "\"mxc://x/a.b\"")]
    [InlineData("a, 640×480.png", "\"a, 640×480.png\"")]
    [InlineData("a> b", "\"a> b\"")]
    [InlineData("a\"b\\", "\"a\\\"b\\\\\"")]
    [InlineData("cat.png，⠀640×480，⠀66.5⠀KB", "\"cat.png，⠀640×480，⠀66.5⠀KB\"")]
    [InlineData("cat.pngᐳ", "\"cat.pngᐳ\"")]
    [InlineData("cat.png;640x480", "\"cat.png;640x480\"")]
    [InlineData("cat", "\"cat\"")]
    [InlineData(" ", "\" \"")]
    public void A_file_name_that_could_break_the_head_is_quoted(string name, string inHead) =>
        Assert.Equal(inHead, SafeText.FileName(name));

    [Theory]
    [InlineData("com.example.thing", "com.example.thing")]
    [InlineData("joined", "\"joined\"")]
    [InlineData("a.b-", "\"a.b-\"")]
    [InlineData(".a.b", "\".a.b\"")]
    [InlineData("a.", "\"a.\"")]
    [InlineData("joined as \"x.y\"", "\"joined as \\\"x.y\\\"\"")]
    [InlineData("", "\"\"")]
    public void A_type_that_could_be_a_sentence_is_quoted(string type, string inLine) => Assert.Equal(inLine, SafeText.EventType(type));

    [Theory]
    [InlineData("example.org", "example.org")]
    [InlineData("[::1]:8448", "[::1]:8448")]
    [InlineData("*", "*")]
    [InlineData("all", "\"all\"")]
    [InlineData("none", "\"none\"")]
    [InlineData("localhost", "\"localhost\"")]
    [InlineData("a.x; no IP addresses", "\"a.x; no IP addresses\"")]
    public void A_server_name_that_could_be_a_word_of_the_sentence_is_quoted(string name, string inLine) =>
        Assert.Equal(inLine, SafeText.ServerName(name));

    [Fact]
    public void An_excerpt_ends_between_grapheme_clusters()
    {
        Assert.Equal("\"see you then\"", SafeText.Excerpt("see you then"));
        Assert.Equal($"\"{new string('x', 39)}👩‍👩‍👧‍👦…\"", SafeText.Excerpt(new string('x', 39) + "👩‍👩‍👧‍👦 and more"));
        Assert.True(SafeText.Excerpt("a" + new string('\u0301', 5000)).Length < 300);
    }
}
