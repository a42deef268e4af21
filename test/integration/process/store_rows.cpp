// icl_store_rows: what stands in a peer's database, for tests. It knows no format: rows go out and
// in as hexadecimal.
//
//   icl_store_rows FOLDER                           prints family, key and value of each row, one
//   row a line icl_store_rows FOLDER put FAMILY KEY VALUE      writes a row
//
// Printing replays the write-ahead log in memory and changes no row; nobody else may have the
// database open.
#include <rocksdb/db.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

std::string to_hex(const rocksdb::Slice& bytes) {
    return bytes.ToString(true);
}

bool from_hex(const std::string& text, std::string& bytes) {
    return rocksdb::Slice(text).DecodeHex(&bytes);
}

int failed(const std::string& what) {
    std::cerr << what << std::endl;
    return 1;
}

/// A database with all families that it has, whoever made them.
class Database {
 public:
    ~Database() {
        for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    }

    rocksdb::Status open(const std::string& folder, bool writing) {
        rocksdb::DBOptions options;
        auto status = rocksdb::DB::ListColumnFamilies(options, folder, &names_);
        if (!status.ok()) return status;
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const auto& name : names_) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
        rocksdb::DB* raw = nullptr;
        status = writing ? rocksdb::DB::Open(options, folder, families, &handles_, &raw)
                         : rocksdb::DB::OpenForReadOnly(options, folder, families, &handles_, &raw);
        db_.reset(raw);
        return status;
    }

    rocksdb::Status print(std::ostream& out) {
        for (std::size_t i = 0; i < names_.size(); ++i) {
            std::unique_ptr<rocksdb::Iterator> row(
                db_->NewIterator(rocksdb::ReadOptions(), handles_[i]));
            for (row->SeekToFirst(); row->Valid(); row->Next())
                out << names_[i] << '\t' << to_hex(row->key()) << '\t' << to_hex(row->value())
                    << '\n';
            if (!row->status().ok()) return row->status();
        }
        return rocksdb::Status::OK();
    }

    rocksdb::Status put(const std::string& family, const std::string& key,
                        const std::string& value) {
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (names_[i] != family) continue;
            rocksdb::WriteOptions synced;
            synced.sync = true;
            return db_->Put(synced, handles_[i], key, value);
        }
        return rocksdb::Status::NotFound("no such family", family);
    }

 private:
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<std::string> names_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const bool put = words.size() == 5 && words[1] == "put";
    if (words.size() != 1 && !put)
        return failed("usage: icl_store_rows FOLDER [put FAMILY KEY VALUE]");
    Database database;
    auto status = database.open(words[0], put);
    if (!status.ok()) return failed(words[0] + ": " + status.ToString());
    if (!put) {
        status = database.print(std::cout);
    } else {
        std::string key, value;
        if (!from_hex(words[3], key) || !from_hex(words[4], value))
            return failed("key and value are hexadecimal");
        status = database.put(words[2], key, value);
    }
    if (!status.ok()) return failed(words[0] + ": " + status.ToString());
    return 0;
}
